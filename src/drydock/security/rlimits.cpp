#include <drydock/security/rlimits.hpp>

#include <sys/resource.h>
#include <sys/syscall.h>

#include <algorithm>
#include <charconv>

#include <drydock/kernel/error.hpp>
#include <drydock/kernel/raw.hpp>
#include <drydock/kernel/symbols.hpp>

namespace drydock::security {

namespace {

std::optional<std::uint64_t> parse_value(std::string_view text) {
  if (text == "-1" || text == "unlimited") return unlimited;
  std::uint64_t value = 0;
  const auto [next, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && next == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

std::string shown(std::uint64_t value) {
  return value == unlimited ? "unlimited" : std::to_string(value);
}

}  // namespace

Ulimit parse_ulimit(std::string_view text) {
  const std::string object = "--ulimit " + std::string(text);
  const auto equals = text.find('=');
  if (equals == std::string_view::npos)
    throw Error::refused(object, "it is not NAME=SOFT[:HARD]", "for example nofile=1024:4096");
  const std::string_view name = text.substr(0, equals), values = text.substr(equals + 1);
  const auto resource = symbols::resource_number(name);
  if (!resource || name.starts_with("RLIMIT_"))
    throw Error::refused(object, "no limit is called '" + std::string(name) + "'",
                         "getrlimit(2) lists them: nofile, nproc, core, stack ...");
  const auto colon = values.find(':');
  const auto soft = parse_value(values.substr(0, colon));
  const auto hard = colon == std::string_view::npos ? soft : parse_value(values.substr(colon + 1));
  if (!soft || !hard) throw Error::refused(object, "a value is neither a number nor 'unlimited'", "for example nofile=1024:4096");
  if (*soft > *hard)
    throw Error::refused(object, "the soft limit " + shown(*soft) + " is above the hard limit " + shown(*hard),
                         "the soft limit comes first");
  return {*resource, *soft, *hard};
}

ClampedUlimit clamp_ulimit(const Ulimit& wanted, std::uint64_t current_hard, bool may_raise) {
  if (may_raise || wanted.hard <= current_hard) return {wanted, std::nullopt};
  const Ulimit limit{wanted.resource, std::min(wanted.soft, current_hard), current_hard};
  return {limit, "--ulimit: " + symbols::resource(wanted.resource) + " stays at " + shown(current_hard) + " instead of " +
                     shown(wanted.hard) + ": raising a hard limit needs CAP_SYS_RESOURCE, which the caller does not have"};
}

std::uint64_t hard_limit(int resource) {
  struct {
    std::uint64_t soft, hard;
  } current{};
  const long result = raw::call(SYS_prlimit64, 0, resource, nullptr, &current);
  if (raw::failed(result)) throw Error::from_errno("prlimit", symbols::resource(resource), raw::error_of(result));
  return current.hard;
}

std::vector<plan::StepRef> add_ulimit_steps(plan::Plan& plan, plan::Lane lane, const std::vector<Ulimit>& limits,
                                            const std::vector<std::uint64_t>& current_hard, bool may_raise) {
  std::vector<plan::StepRef> steps;
  for (std::size_t i = 0; i < limits.size(); ++i) {
    // The same name twice: the last one wins, as with docker run.
    const bool again = std::any_of(limits.begin() + static_cast<std::ptrdiff_t>(i) + 1, limits.end(),
                                   [&](const Ulimit& later) { return later.resource == limits[i].resource; });
    if (again) continue;
    const ClampedUlimit clamped = clamp_ulimit(limits[i], current_hard[i], may_raise);
    if (clamped.warning) plan.warnings.push_back(*clamped.warning);
    const Ulimit& limit = clamped.limit;
    steps.push_back(
        plan.add(lane, "ulimit." + symbols::resource(limit.resource),
                 plan::ops::prlimit(limit.resource, static_cast<std::int64_t>(limit.soft), static_cast<std::int64_t>(limit.hard)))
            .why("asked for with --ulimit"));
  }
  return steps;
}

}  // namespace drydock::security
