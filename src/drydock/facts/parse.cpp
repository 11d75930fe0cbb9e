#include <drydock/facts/parse.hpp>

#include <algorithm>
#include <charconv>

namespace drydock::facts::parse {

namespace {

template <typename T>
T number(std::string_view text, int base = 10) {
  T value{};
  std::from_chars(text.data(), text.data() + text.size(), value, base);
  return value;
}

template <typename T>
std::vector<T> numbers(std::string_view text) {
  std::vector<T> values;
  for (const std::string_view word : words(text)) values.push_back(number<T>(word));
  return values;
}

void fill_four(std::array<std::uint32_t, 4>& target, std::string_view text) {
  const auto values = numbers<std::uint32_t>(text);
  std::copy_n(values.begin(), std::min(values.size(), target.size()), target.begin());
}

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

void take_field(Status& status, std::string_view key, std::string_view value) {
  Capabilities& sets = status.capabilities;
  if (key == "Name")
    status.name = value;
  else if (key == "State")
    status.state = value;
  else if (key == "PPid")
    status.parent = number<pid_t>(value);
  else if (key == "Threads")
    status.threads = number<int>(value);
  else if (key == "NSpid")
    status.ns_pids = numbers<pid_t>(value);
  else if (key == "Uid")
    fill_four(status.uids, value);
  else if (key == "Gid")
    fill_four(status.gids, value);
  else if (key == "Groups")
    status.groups = numbers<std::uint32_t>(value);
  else if (key == "CapInh")
    sets.inheritable = number<std::uint64_t>(value, 16);
  else if (key == "CapPrm")
    sets.permitted = number<std::uint64_t>(value, 16);
  else if (key == "CapEff")
    sets.effective = number<std::uint64_t>(value, 16);
  else if (key == "CapBnd")
    sets.bounding = number<std::uint64_t>(value, 16);
  else if (key == "CapAmb")
    sets.ambient = number<std::uint64_t>(value, 16);
  else if (key == "NoNewPrivs")
    status.no_new_privs = value == "1";
  else if (key == "Seccomp")
    status.seccomp = number<int>(value);
  else if (key == "Seccomp_filters")
    status.seccomp_filters = number<int>(value);
}

std::string joined(const std::vector<std::string_view>& parts, std::size_t first, std::size_t last) {
  std::string text;
  for (std::size_t at = first; at < last; ++at) text += (at == first ? "" : ",") + std::string(parts[at]);
  return text;
}

}  // namespace

std::vector<std::string_view> lines(std::string_view text) {
  std::vector<std::string_view> found;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (end != 0) found.push_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return found;
}

std::vector<std::string_view> words(std::string_view line) {
  std::vector<std::string_view> found;
  for (;;) {
    const std::size_t begin = line.find_first_not_of(" \t");
    if (begin == std::string_view::npos) return found;
    line.remove_prefix(begin);
    const std::size_t end = line.find_first_of(" \t");
    found.push_back(line.substr(0, end));
    if (end == std::string_view::npos) return found;
    line.remove_prefix(end);
  }
}

std::string unescaped(std::string_view text) {
  const auto octal = [](char c) { return c >= '0' && c <= '7'; };
  std::string plain;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '\\' && at + 3 < text.size() && octal(text[at + 1]) && octal(text[at + 2]) && octal(text[at + 3])) {
      plain += static_cast<char>(number<unsigned>(text.substr(at + 1, 3), 8));
      at += 3;
    } else {
      plain += text[at];
    }
  }
  return plain;
}

Status status(std::string_view text) {
  Status result;
  for (const std::string_view line : lines(text)) {
    const std::size_t colon = line.find(':');
    if (colon != std::string_view::npos) take_field(result, line.substr(0, colon), trimmed(line.substr(colon + 1)));
  }
  return result;
}

std::vector<IdMapLine> id_map(std::string_view text) {
  std::vector<IdMapLine> map;
  for (const std::string_view line : lines(text)) {
    const auto values = numbers<std::uint32_t>(line);
    if (values.size() == 3) map.push_back({values[0], values[1], values[2]});
  }
  return map;
}

// 36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue
std::vector<Mount> mountinfo(std::string_view text) {
  std::vector<Mount> mounts;
  for (const std::string_view line : lines(text)) {
    const auto fields = words(line);
    const auto dash = std::find(fields.begin(), fields.end(), "-");
    const std::size_t split = static_cast<std::size_t>(dash - fields.begin());
    if (split < 6 || fields.size() < split + 3) continue;
    Mount mount;
    mount.id = number<int>(fields[0]);
    mount.parent = number<int>(fields[1]);
    mount.device = fields[2];
    mount.root = unescaped(fields[3]);
    mount.target = unescaped(fields[4]);
    mount.options = fields[5];
    mount.propagation = split > 6 ? joined(fields, 6, split) : "private";
    mount.type = fields[split + 1];
    mount.source = unescaped(fields[split + 2]);
    if (fields.size() > split + 3) mount.super_options = unescaped(fields[split + 3]);
    mounts.push_back(std::move(mount));
  }
  return mounts;
}

std::vector<std::string> strings(std::string_view block) {
  std::vector<std::string> found;
  while (!block.empty()) {
    const std::size_t end = block.find('\0');
    found.emplace_back(block.substr(0, end));
    if (end == std::string_view::npos) break;
    block.remove_prefix(end + 1);
  }
  return found;
}

std::optional<std::uint64_t> namespace_link(std::string_view link) {
  const std::size_t open = link.find(":[");
  if (open == std::string_view::npos || !link.ends_with(']')) return std::nullopt;
  return number<std::uint64_t>(link.substr(open + 2));
}

// "Max open files            1024                 1048576              files": the name may hold spaces, columns are fixed.
std::vector<Rlimit> limits(std::string_view text) {
  std::vector<Rlimit> found;
  for (const std::string_view line : lines(text)) {
    if (!line.starts_with("Max ") || line.size() < 27) continue;
    const auto values = words(line.substr(26));
    if (values.size() < 2) continue;
    found.push_back({std::string(trimmed(line.substr(0, 26))), std::string(values[0]), std::string(values[1]),
                     values.size() > 2 ? std::string(values[2]) : ""});
  }
  return found;
}

}  // namespace drydock::facts::parse
