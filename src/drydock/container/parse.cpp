#include <drydock/container/parse.hpp>

#include <algorithm>
#include <set>

#include <drydock/container/parse_values.hpp>
#include <drydock/kernel/symbols.hpp>

namespace drydock::container {

namespace {

bool all_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

void check_user_part(std::string_view text, std::string_view part) {
  const std::string remedy = "write USER or USER:GROUP, each a name or a number: 1000, 1000:1000, www-data";
  if (part.empty()) throw bad_value("-u/--user", text, "a name or number is missing", remedy);
  // 4294967295 is (uid_t)-1, which setresuid(2) takes for "leave as it is": the program would stay root.
  if (all_digits(part) && (part.size() > 10 || std::stoull(std::string(part)) > 4294967294u))
    throw bad_value("-u/--user", text, "ids go from 0 to 4294967294", remedy);
  if (part[0] == '-' || part.find_first_of(" \t\r\n,/") != std::string_view::npos)
    throw bad_value("-u/--user", text, "'" + std::string(part) + "' is neither a name nor a number", remedy);
}

bool is_variable(std::string_view name) {
  return !name.empty() && name.find_first_of(" \t\r\n") == std::string_view::npos;
}

IdRange id_range(std::string_view text, std::string_view part) {
  const auto numbers = split(part, ':');
  if (numbers.size() != 3)
    throw bad_value("--userns", text, "that is no map of ids",
                    "choose host, auto, or INSIDE:OUTSIDE:COUNT, for example 0:100000:65536");
  const auto one = [&](std::size_t at, std::uint64_t least) {
    return static_cast<std::uint32_t>(parse_number("--userns", numbers[at], least, 4294967294u));
  };
  const IdRange range{one(0, 0), one(1, 0), one(2, 1)};
  if (std::uint64_t{range.inside} + range.count > 4294967295u || std::uint64_t{range.outside} + range.count > 4294967295u)
    throw bad_value("--userns", text, "the range ends above the highest id", "ids go from 0 to 4294967294");
  return range;
}

void check_network(const Spec& spec) {
  const NetworkSpec& network = spec.network;
  const bool bridge = network.mode == NetworkMode::bridge;
  if (!network.ports.empty() && !bridge && network.mode != NetworkMode::slirp)
    throw Error::refused("-p/--publish", "ports can be published only on the bridge network, and by slirp4netns",
                         "leave out -p, or use --network bridge");
  if (network.address && !bridge)
    throw Error::refused("--ip", "an address can be chosen only on the bridge network", "leave out --ip");
  if (network.mode == NetworkMode::container && (!network.dns.empty() || !network.hosts.empty()))
    throw Error::refused("--dns/--add-host", "the network of another container comes with that container's names",
                         "leave them out");
  if (network.mode == NetworkMode::container && !spec.hostname.empty())
    throw Error::refused("--hostname", "the network of another container comes with that container's name", "leave it out");
  std::set<std::tuple<std::string, std::uint16_t, bool>> taken;
  for (const PortSpec& port : network.ports)
    if (port.host_port != 0 && !taken.insert({port.host_address, port.host_port, port.udp}).second)
      throw Error::refused("-p/--publish", "port " + std::to_string(port.host_port) + " is published twice",
                           "give each its own port");
}

void check_limits(const cgroups::Limits& limits) {
  if (!limits.memory_swap) return;
  if (!limits.memory)
    throw Error::refused("--memory-swap", "it is memory plus swap, so it needs a memory limit too", "add -m/--memory");
  if (*limits.memory_swap != -1 && static_cast<std::uint64_t>(*limits.memory_swap) < *limits.memory)
    throw Error::refused("--memory-swap",
                         "it is memory plus swap, so it cannot be less than the memory limit of " + size_words(*limits.memory),
                         "give at least the value of -m, or -1");
}

}  // namespace

std::optional<std::string> parse_env(std::string_view text, const Environment& environment) {
  const std::size_t equals = text.find('=');
  const std::string name(text.substr(0, equals));
  if (!is_variable(name))
    throw bad_value("-e/--env", text, "the name of the variable is missing or holds spaces", "write NAME=value");
  if (equals != std::string_view::npos) return std::string(text);
  const auto value = environment(name);
  return value ? std::optional(name + "=" + *value) : std::nullopt;
}

std::vector<std::string> parse_env_file(std::string_view contents, const std::string& name, const Environment& environment) {
  std::vector<std::string> variables;
  if (contents.starts_with("\xEF\xBB\xBF")) contents.remove_prefix(3);  // some editors begin UTF-8 files with it
  int number = 0;
  for (std::string_view line : split(contents, '\n')) {
    ++number;
    if (line.ends_with('\r')) line.remove_suffix(1);
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    if (line.empty() || line[0] == '#') continue;
    const std::size_t equals = line.find('=');
    if (!is_variable(line.substr(0, equals)) || line.find('\0') != std::string_view::npos)
      throw bad_value("--env-file", name, "line " + std::to_string(number) + " has no usable variable name",
                      "write NAME=value, one a line");
    if (const auto variable = parse_env(line, environment)) variables.push_back(*variable);
  }
  return variables;
}

std::string parse_user(std::string_view text) {
  const auto parts = split(text, ':');
  if (parts.size() > 2) throw bad_value("-u/--user", text, "there is more than one ':'", "write USER or USER:GROUP");
  for (const std::string_view part : parts) check_user_part(text, part);
  return std::string(text);
}

std::string parse_name(std::string_view text) {
  if (!is_object_name(text) || text.size() > 128)
    throw bad_value("--name", text, "that is no name for a container",
                    "use 2 to 128 letters, digits, '_', '.' and '-', the first a letter or digit");
  return std::string(text);
}

std::string parse_hostname(std::string_view text) {
  const auto bad = [](char c) {
    return !((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_');
  };
  if (text.empty() || text.size() > 64 || std::any_of(text.begin(), text.end(), bad) || text[0] == '-' || text[0] == '.')
    throw bad_value("-h/--hostname", text, "that is no host name",
                    "use at most 64 letters, digits, '-' and '.', the first a letter or digit");
  return std::string(text);
}

std::string parse_directory(std::string_view option, std::string_view text) {
  if (text.empty() || text[0] != '/')
    throw bad_value(option, text, "the path in the container must begin with /", "for example /srv");
  return std::string(text);
}

std::string parse_capability(std::string_view option, std::string_view text) {
  if (lower(text) == "all") return "ALL";
  const auto number = symbols::capability_number(text);
  if (!number)
    throw bad_value(option, text, "there is no such capability", "for example NET_ADMIN, SYS_TIME or ALL; see capabilities(7)");
  std::string name = symbols::capability(*number);
  return name.starts_with("CAP_") ? name.substr(4) : name;
}

void parse_security_opt(std::string_view text, SecuritySpec& security) {
  const std::size_t separator = text.find_first_of("=:");
  const std::string_view key = text.substr(0, separator);
  const std::string_view value = separator == std::string_view::npos ? std::string_view{} : text.substr(separator + 1);
  if (key == "no-new-privileges" && (value.empty() || value == "true" || value == "false")) {
    security.no_new_privileges = value != "false";
  } else if (key == "seccomp" && !value.empty()) {
    security.seccomp = value == "builtin" ? "default" : std::string(value);
  } else if (key == "apparmor" || key == "label") {
    throw bad_value("--security-opt", text, "AppArmor and SELinux are not supported", "leave it out");
  } else {
    throw bad_value("--security-opt", text, "that is not understood",
                    "write seccomp=unconfined, seccomp=FILE or no-new-privileges");
  }
}

UserNamespaceSpec parse_userns(std::string_view text) {
  UserNamespaceSpec userns;
  if (text.empty() || text == "host") return userns;
  userns.enabled = true;
  if (text == "auto" || text == "private") return userns;
  for (const std::string_view part : split(text, ',')) userns.uids.push_back(id_range(text, part));
  userns.gids = userns.uids;
  return userns;
}

void check(const Spec& spec) {
  check_limits(spec.limits);
  check_network(spec);
  std::set<std::string> targets;
  for (const MountSpec& mount : spec.mounts)
    if (!targets.insert(mount.target).second)
      throw Error::refused("mount on " + mount.target, "two mounts have the same target", "leave out one of them");
  if (spec.security.privileged && spec.userns.enabled)
    throw Error::refused("--privileged", "it gives power over the machine, which --userns takes away", "use one of the two");
}

}  // namespace drydock::container
