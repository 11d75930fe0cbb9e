#include <drydock/image/store.hpp>

#include <fcntl.h>
#include <sys/file.h>

#include <algorithm>
#include <optional>

#include <drydock/image/layout.hpp>
#include <drydock/kernel/error.hpp>
#include <drydock/kernel/sys.hpp>

namespace drydock::image {

namespace {

// "sha256:ab12", "ab12": the digits; empty when it cannot be (part of) an id.
std::string id_prefix(const std::string& text) {
  const std::string digits = text.starts_with("sha256:") ? text.substr(7) : text;
  if (digits.empty() || digits.size() > 64 || digits.find_first_not_of("0123456789abcdef") != std::string::npos) return {};
  return digits;
}

std::optional<Record> read_record(const std::string& data, const std::string& reference) {
  const std::string path = layout::record(data, reference);
  const auto text = sys::read_file_if_present(path);
  if (!text) return std::nullopt;
  return record_from_json(*text, path);
}

std::optional<Record> by_id(const std::vector<Record>& records, const std::string& asked) {
  const std::string prefix = id_prefix(asked);
  if (prefix.empty()) return std::nullopt;
  std::optional<Record> found;
  for (const Record& record : records) {
    if (!std::string_view(record.config.digest).substr(7).starts_with(prefix)) continue;
    if (found && found->config.digest != record.config.digest)
      throw Error::refused("image id '" + asked + "'", "more than one image begins with it", "give more digits");
    if (!found) found = record;
  }
  return found;
}

std::optional<Record> by_digest(const std::vector<Record>& records, const std::string& reference) {
  const std::size_t at = reference.find('@');
  if (at == std::string::npos) return std::nullopt;
  for (const Record& record : records) {
    const std::string name = record.reference.substr(0, record.reference.rfind(':'));
    if (name == reference.substr(0, at) && record.manifest.digest == reference.substr(at + 1)) return record;
  }
  return std::nullopt;
}

[[noreturn]] void refuse_unknown(const std::string& asked, const std::vector<Record>& records) {
  if (records.empty())
    throw Error::refused("image '" + asked + "'", "the image store is empty", "bring one in with 'drydock image load -i FILE'");
  std::string names;
  constexpr std::size_t shown = 8;
  for (std::size_t i = 0; i < std::min(records.size(), shown); ++i) names += (i == 0 ? "" : ", ") + record_name(records[i]);
  if (records.size() > shown) names += ", and " + std::to_string(records.size() - shown) + " more";
  throw Error::refused("image '" + asked + "'", "no such image in the store, which has " + names,
                       "check the spelling, or bring it in with 'drydock image load -i FILE'");
}

// One read of one small file when `reference` is a name: the path of every `drydock run`.
std::optional<Record> lookup(const std::string& data, const std::string& reference, std::vector<Record>& listed) {
  const bool only_id = reference.starts_with("sha256:") || (reference.size() == 64 && !id_prefix(reference).empty());
  std::string name;
  if (!only_id) {
    name = normalized_reference(reference);
    if (auto record = read_record(data, name)) return record;
  }
  listed = all_records(data);
  if (auto record = by_digest(listed, name)) return record;
  return by_id(listed, reference);
}

}  // namespace

Record find_record(const std::string& data, const std::string& reference) {
  std::vector<Record> listed;
  if (auto record = lookup(data, reference, listed)) return *record;
  refuse_unknown(reference, listed);
}

Store::Store(std::string data_directory) : directory_(std::move(data_directory)) {}

std::vector<Image> Store::list() const {
  std::vector<Image> images;
  for (const Record& record : all_records(directory_)) images.push_back(image_of(directory_, record));
  return images;
}

Image Store::find(const std::string& reference) const {
  return image_of(directory_, find_record(directory_, reference));
}

std::optional<Image> Store::find_if_present(const std::string& reference) const {
  std::vector<Record> listed;
  const auto record = lookup(directory_, reference, listed);
  return record ? std::optional(image_of(directory_, *record)) : std::nullopt;
}

bool Store::contains(const std::string& reference) const {
  std::vector<Record> listed;
  return lookup(directory_, reference, listed).has_value();
}

std::string Store::config_json(const std::string& reference) const {
  return sys::read_file(layout::blob(directory_, find_record(directory_, reference).config.digest));
}

Fd Store::hold() const {
  if (!sys::exists(layout::references(directory_))) sys::mkdirs(layout::references(directory_), 0755);
  Fd lock = sys::open(layout::hold(directory_), O_RDWR | O_CREAT, 0600);
  sys::flock(lock, LOCK_SH);
  return lock;
}

std::vector<HistoryEntry> Store::history(const std::string& reference) const {
  const Record record = find_record(directory_, reference);
  return parse_history(sys::read_file(layout::blob(directory_, record.config.digest)), record.layers);
}

}  // namespace drydock::image
