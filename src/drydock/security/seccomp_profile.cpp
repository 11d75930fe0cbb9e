// policy_from_json(): profiles in Docker's format.
#include <linux/seccomp.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <nlohmann/json.hpp>

#include <drydock/kernel/error.hpp>
#include <drydock/kernel/symbols.hpp>
#include <drydock/security/seccomp_policy.hpp>

namespace drydock::security {

namespace {

using Json = nlohmann::json;

#if defined(__x86_64__)
constexpr const char* native_architecture = "SCMP_ARCH_X86_64";
constexpr const char* second_architecture = "SCMP_ARCH_X86";
constexpr std::string_view architecture_names[] = {"amd64", "x86_64", "x86"};
#else
constexpr const char* native_architecture = "SCMP_ARCH_AARCH64";
constexpr const char* second_architecture = "SCMP_ARCH_ARM";
constexpr std::string_view architecture_names[] = {"arm64", "aarch64", "arm"};
#endif

struct Context {
  const std::string& origin;
  std::uint64_t capabilities;
  std::string_view kernel;
};

[[noreturn]] void refuse(const Context& context, const std::string& reason) {
  throw Error::refused("seccomp profile " + context.origin, reason, "see Docker's 'Seccomp security profiles' for the format");
}

Action parse_action(const Context& context, const std::string& name, int errno_value) {
  const Action data = static_cast<Action>(errno_value) & SECCOMP_RET_DATA;
  if (name == "SCMP_ACT_ALLOW") return SECCOMP_RET_ALLOW;
  if (name == "SCMP_ACT_ERRNO") return SECCOMP_RET_ERRNO | data;
  if (name == "SCMP_ACT_TRACE") return SECCOMP_RET_TRACE | data;
  if (name == "SCMP_ACT_LOG") return SECCOMP_RET_LOG;
  if (name == "SCMP_ACT_TRAP") return SECCOMP_RET_TRAP;
  if (name == "SCMP_ACT_KILL" || name == "SCMP_ACT_KILL_THREAD") return SECCOMP_RET_KILL_THREAD;
  if (name == "SCMP_ACT_KILL_PROCESS") return SECCOMP_RET_KILL_PROCESS;
  if (name == "SCMP_ACT_NOTIFY") refuse(context, "it asks for a supervisor (SCMP_ACT_NOTIFY), which Drydock does not have");
  refuse(context, "unknown action '" + name + "'");
}

Condition parse_condition(const Context& context, const Json& json) {
  static constexpr std::pair<std::string_view, Compare> names[] = {{"SCMP_CMP_EQ", Compare::equal},
                                                                   {"SCMP_CMP_NE", Compare::not_equal},
                                                                   {"SCMP_CMP_LT", Compare::less},
                                                                   {"SCMP_CMP_LE", Compare::less_equal},
                                                                   {"SCMP_CMP_GT", Compare::greater},
                                                                   {"SCMP_CMP_GE", Compare::greater_equal},
                                                                   {"SCMP_CMP_MASKED_EQ", Compare::masked_equal}};
  const std::string name = json.at("op").get<std::string>();
  const auto found = std::find_if(std::begin(names), std::end(names), [&](const auto& row) { return row.first == name; });
  if (found == std::end(names)) refuse(context, "unknown operator '" + name + "'");
  Condition condition{json.at("index").get<std::uint8_t>(), found->second, json.at("value").get<std::uint64_t>()};
  if (condition.index > 5) refuse(context, "a system call has arguments 0 to 5, not " + std::to_string(condition.index));
  if (found->second == Compare::masked_equal) {
    // In this format `value` is the mask and `valueTwo` what remains: the order of seccomp_rule_add(3).
    condition.mask = condition.value;
    condition.value = json.value("valueTwo", std::uint64_t{0});
  }
  return condition;
}

// True when a filter ("includes", "excludes") of a rule is there and speaks of this container and machine.
bool has_all_capabilities(const Context& context, const Json& names) {
  return std::all_of(names.begin(), names.end(), [&](const Json& name) {
    const auto number = symbols::capability_number(name.get<std::string>());
    return number && (context.capabilities >> *number & 1) != 0;
  });
}

bool has_any_capability(const Context& context, const Json& names) {
  return std::any_of(names.begin(), names.end(), [&](const Json& name) {
    const auto number = symbols::capability_number(name.get<std::string>());
    return number && (context.capabilities >> *number & 1) != 0;
  });
}

bool names_this_machine(const Json& arches) {
  return std::any_of(arches.begin(), arches.end(), [](const Json& name) {
    return std::find(std::begin(architecture_names), std::end(architecture_names), name.get<std::string>()) !=
           std::end(architecture_names);
  });
}

bool applies(const Context& context, const Json& rule) {
  const Json includes = rule.value("includes", Json::object()), excludes = rule.value("excludes", Json::object());
  if (includes.contains("caps") && !has_all_capabilities(context, includes["caps"])) return false;
  if (includes.contains("arches") && !includes["arches"].empty() && !names_this_machine(includes["arches"])) return false;
  if (includes.contains("minKernel") && !kernel_at_least(context.kernel, includes["minKernel"].get<std::string>())) return false;
  if (excludes.contains("caps") && has_any_capability(context, excludes["caps"])) return false;
  if (excludes.contains("arches") && names_this_machine(excludes["arches"])) return false;
  if (excludes.contains("minKernel") && kernel_at_least(context.kernel, excludes["minKernel"].get<std::string>())) return false;
  return true;
}

bool same_argument_twice(const std::vector<Condition>& conditions) {
  std::uint32_t seen = 0;
  for (const Condition& condition : conditions) {
    if ((seen >> condition.index & 1) != 0) return true;
    seen |= 1u << condition.index;
  }
  return false;
}

void add_rules(const Context& context, const Json& json, Policy& policy) {
  const Action action = parse_action(context, json.at("action").get<std::string>(), json.value("errnoRet", EPERM));
  std::vector<std::string> names = json.value("names", std::vector<std::string>{});
  if (json.contains("name") && json["name"].is_string() && !json["name"].get<std::string>().empty())
    names.push_back(json["name"]);
  std::vector<Condition> conditions;
  if (json.contains("args") && json["args"].is_array())
    for (const Json& argument : json["args"]) conditions.push_back(parse_condition(context, argument));
  for (const std::string& name : names) {
    if (!same_argument_twice(conditions)) {
      policy.rules.push_back({name, action, conditions});
      continue;
    }
    // Several conditions on one argument are alternatives: that is how runc reads the format.
    for (const Condition& condition : conditions) policy.rules.push_back({name, action, {condition}});
  }
}

bool allows_second(const Json& profile) {
  if (profile.contains("archMap") && profile["archMap"].is_array())
    for (const Json& row : profile["archMap"])
      if (row.value("architecture", "") == native_architecture)
        for (const Json& sub : row.value("subArchitectures", Json::array()))
          if (sub == second_architecture) return true;
  const Json list = profile.value("architectures", Json::array());
  return list.is_array() && std::find(list.begin(), list.end(), second_architecture) != list.end();
}

Policy read_profile(const Context& context, const Json& json) {
  if (!json.is_object()) refuse(context, "it is no JSON object");
  const Json& profile = json.contains("seccomp") ? json["seccomp"] : json;
  if (!profile.contains("defaultAction")) refuse(context, "it has no defaultAction");
  Policy policy;
  policy.default_action =
      parse_action(context, profile["defaultAction"].get<std::string>(), profile.value("defaultErrnoRet", EPERM));
  policy.second_architecture = allows_second(profile);
  for (const Json& rule : profile.value("syscalls", Json::array()))
    if (applies(context, rule)) add_rules(context, rule, policy);
  // A rule without conditions beats those with, wherever it stands: seccomp_rule_add(3).
  std::stable_partition(policy.rules.begin(), policy.rules.end(), [](const Rule& rule) { return rule.conditions.empty(); });
  return policy;
}

}  // namespace

bool kernel_at_least(std::string_view kernel, std::string_view wanted) {
  const auto number = [](std::string_view& text) {
    unsigned value = 0;
    const auto next = std::from_chars(text.data(), text.data() + text.size(), value).ptr;
    text.remove_prefix(static_cast<std::size_t>(next - text.data()));
    if (text.starts_with('.')) text.remove_prefix(1);
    return value;
  };
  for (int part = 0; part < 3; ++part) {
    const unsigned have = number(kernel), want = number(wanted);
    if (have != want) return have > want;
  }
  return true;
}

Policy policy_from_json(std::string_view json, const std::string& origin, std::uint64_t capabilities, std::string_view kernel) {
  const Context context{origin, capabilities, kernel};
  try {
    return read_profile(context, Json::parse(json));
  } catch (const Json::exception& error) {
    refuse(context, error.what());
  }
}

}  // namespace drydock::security
