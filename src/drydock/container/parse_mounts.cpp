#include <drydock/container/parse.hpp>

#include <algorithm>

#include <drydock/container/parse_values.hpp>

namespace drydock::container {

namespace {

constexpr std::string_view propagations[] = {"private", "rprivate", "slave", "rslave", "shared", "rshared"};

bool is_propagation(std::string_view word) {
  return std::find(std::begin(propagations), std::end(propagations), word) != std::end(propagations);
}

std::string checked_target(std::string_view option, std::string_view text, std::string_view target) {
  if (target.empty() || target[0] != '/')
    throw bad_value(option, text, "the path in the container must begin with /",
                    "for example " + std::string(option) + " /srv/www:/www");
  while (target.size() > 1 && target.back() == '/') target.remove_suffix(1);
  if (target == "/")
    throw bad_value(option, text, "the root of the container cannot be replaced by a mount", "choose a directory below /");
  for (const std::string_view part : split(target, '/'))
    if (part == "..") throw bad_value(option, text, "the path in the container holds '..'", "write the path without it");
  return std::string(target);
}

void set_source(MountSpec& mount, std::string_view text, std::string_view source, std::string_view directory) {
  if (source.starts_with('/')) {
    mount.source = source;
  } else if (source.starts_with("./") || source == "." || source.starts_with("../") || source == "..") {
    mount.source = std::string(directory) + "/" + std::string(source);
  } else if (source.find('/') != std::string_view::npos || !is_object_name(source)) {
    throw bad_value("-v/--volume", text, "'" + std::string(source) + "' is neither an absolute path nor the name of a volume",
                    "begin a path with / or ./; a name has two or more letters, digits, '_', '.' or '-'");
  } else {
    mount.type = MountType::volume;
    mount.source = source;
  }
}

void volume_option(MountSpec& mount, std::string_view text, std::string_view word) {
  if (word == "ro")
    mount.read_only = true;
  else if (word == "rw")
    mount.read_only = false;
  else if (is_propagation(word))
    mount.propagation = word;
  else if (word == "z" || word == "Z")
    throw bad_value("-v/--volume", text, "SELinux labels are not supported", "leave out :" + std::string(word));
  else
    throw bad_value("-v/--volume", text, "'" + std::string(word) + "' is no option of a volume",
                    "options are ro, rw, private, rprivate, slave, rslave, shared, rshared");
}

// Comma separated fields; one in double quotes may hold commas ("" is a quote), as in RFC 4180.
std::vector<std::string> csv(std::string_view text) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '"' && quoted && at + 1 < text.size() && text[at + 1] == '"')
      fields.back() += text[++at];
    else if (c == '"')
      quoted = !quoted;
    else if (c == ',' && !quoted)
      fields.emplace_back();
    else
      fields.back() += c;
  }
  if (quoted) throw bad_value("--mount", text, "a quote is not closed", "write key=value pairs separated by commas");
  return fields;
}

bool truth(std::string_view text, std::string_view key, std::string_view value) {
  if (value.empty() || value == "true" || value == "1") return true;
  if (value == "false" || value == "0") return false;
  throw bad_value("--mount", text, std::string(key) + " is true or false", "write just '" + std::string(key) + "'");
}

void check_mode(std::string_view option, std::string_view text, std::string_view mode) {
  if (mode.empty() || mode.size() > 5 || mode.find_first_not_of("01234567") != std::string_view::npos)
    throw bad_value(option, text, "the mode must be octal", "for example mode=1777");
}

MountType mount_type(std::string_view text, std::string_view value) {
  if (value == "bind") return MountType::bind;
  if (value == "volume") return MountType::volume;
  if (value == "tmpfs") return MountType::tmpfs;
  throw bad_value("--mount", text, "there is no type '" + std::string(value) + "'", "types are bind, volume and tmpfs");
}

void mount_field(MountSpec& mount, std::string_view text, std::string_view key, std::string_view value) {
  if (key == "type")
    mount.type = mount_type(text, value);
  else if (key == "source" || key == "src")
    mount.source = value;
  else if (key == "target" || key == "destination" || key == "dst")
    mount.target = checked_target("--mount", text, value);
  else if (key == "readonly" || key == "ro")
    mount.read_only = truth(text, key, value);
  else if (key == "bind-nonrecursive")
    mount.recursive = !truth(text, key, value);
  else if (key == "bind-propagation" && is_propagation(value))
    mount.propagation = value;
  else if (key == "bind-propagation")
    throw bad_value("--mount", text, "there is no propagation '" + std::string(value) + "'",
                    "choose private, slave or shared, or their r-forms");
  else if (key == "tmpfs-size")
    mount.tmpfs_size = parse_size("--mount tmpfs-size", value);
  else if (key == "tmpfs-mode") {
    check_mode("--mount", text, value);
    mount.tmpfs_options = "mode=" + std::string(value);
  } else {
    throw bad_value("--mount", text, "there is no key '" + std::string(key) + "'",
                    "keys are type, source, target, readonly, bind-propagation, bind-nonrecursive, tmpfs-size, tmpfs-mode");
  }
}

// Keys of one type given with another would be dropped silently.
void check_keys(const MountSpec& mount, std::string_view text, bool bind_key, bool tmpfs_key) {
  if (mount.target.empty()) throw bad_value("--mount", text, "the target is missing", "add target=/path/in/the/container");
  if (bind_key && mount.type != MountType::bind)
    throw bad_value("--mount", text, "bind-... keys need type=bind", "leave them out");
  if (tmpfs_key && mount.type != MountType::tmpfs)
    throw bad_value("--mount", text, "tmpfs-... keys need type=tmpfs", "leave them out");
  if (mount.type == MountType::bind && !mount.source.starts_with('/'))
    throw bad_value("--mount", text, "a bind mount needs the absolute path of its source", "add source=/path/on/this/machine");
  if (mount.type == MountType::volume && !mount.source.empty() && !is_object_name(mount.source))
    throw bad_value("--mount", text, "'" + mount.source + "' is no name of a volume", "for a path of this machine add type=bind");
  if (mount.type == MountType::tmpfs && !mount.source.empty())
    throw bad_value("--mount", text, "a tmpfs has no source", "leave source out");
}

void tmpfs_option(MountSpec& mount, std::string_view text, std::string_view word) {
  static constexpr std::string_view plain[] = {"rw", "exec", "noexec", "suid", "nosuid", "dev", "nodev"};
  static constexpr std::string_view valued[] = {"uid", "gid", "nr_inodes", "nr_blocks"};
  const std::size_t equals = word.find('=');
  const std::string_view key = word.substr(0, equals);
  const std::string_view value = equals == std::string_view::npos ? std::string_view{} : word.substr(equals + 1);
  if (word == "ro") {
    mount.read_only = true;
    return;
  }
  const bool known = std::find(std::begin(plain), std::end(plain), word) != std::end(plain);
  const bool number = std::find(std::begin(valued), std::end(valued), key) != std::end(valued);
  if (key == "size")
    (void)(value.ends_with('%') ? parse_number("--tmpfs size", value.substr(0, value.size() - 1), 1, 100)
                                : parse_size("--tmpfs size", value));
  else if (key == "mode")
    check_mode("--tmpfs", text, value);
  else if (number)
    (void)parse_size("--tmpfs " + std::string(key), value);
  else if (!known)
    throw bad_value("--tmpfs", text, "there is no option '" + std::string(word) + "'",
                    "options are size, mode, uid, gid, nr_inodes, ro, noexec, nosuid, nodev");
  mount.tmpfs_options += (mount.tmpfs_options.empty() ? "" : ",") + std::string(word);
}

}  // namespace

MountSpec parse_volume(std::string_view text, std::string_view directory) {
  const auto parts = split(text, ':');
  MountSpec mount;
  if (parts.size() > 3)
    throw bad_value("-v/--volume", text, "there are more than three parts",
                    "write SOURCE:TARGET[:OPTIONS]; for a path with ':' use --mount");
  if (parts.size() == 1) {
    mount.type = MountType::volume;
    mount.target = checked_target("-v/--volume", text, parts[0]);
    return mount;
  }
  set_source(mount, text, parts[0], directory);
  mount.target = checked_target("-v/--volume", text, parts[1]);
  if (parts.size() == 3)
    for (const std::string_view word : split(parts[2], ',')) volume_option(mount, text, word);
  return mount;
}

MountSpec parse_mount(std::string_view text) {
  MountSpec mount;
  mount.type = MountType::volume;  // Docker's default
  bool bind_key = false, tmpfs_key = false;
  for (const std::string& field : csv(text)) {
    const std::size_t equals = field.find('=');
    const std::string key = lower(std::string_view(field).substr(0, equals));
    const std::string_view value = equals == std::string::npos ? std::string_view{} : std::string_view(field).substr(equals + 1);
    mount_field(mount, text, key, value);
    bind_key = bind_key || key.starts_with("bind-");
    tmpfs_key = tmpfs_key || key.starts_with("tmpfs-");
  }
  check_keys(mount, text, bind_key, tmpfs_key);
  return mount;
}

MountSpec parse_tmpfs(std::string_view text) {
  MountSpec mount;
  mount.type = MountType::tmpfs;
  const std::size_t colon = text.find(':');
  mount.target = checked_target("--tmpfs", text, text.substr(0, colon));
  if (colon != std::string_view::npos)
    for (const std::string_view word : split(text.substr(colon + 1), ',')) tmpfs_option(mount, text, word);
  return mount;
}

}  // namespace drydock::container
