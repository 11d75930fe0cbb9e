// --ulimit NAME=SOFT[:HARD]: parsing, and what becomes of a hard limit that the caller may not raise.
//
// Example: const Ulimit limit = parse_ulimit("nofile=1024:4096");
// Source: getrlimit(2); docker-run(1), --ulimit. Raising a hard limit needs CAP_SYS_RESOURCE in the first user namespace.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <drydock/plan/plan.hpp>

namespace drydock::security {

inline constexpr std::uint64_t unlimited = ~std::uint64_t{0};  // RLIM_INFINITY

struct Ulimit {
  int resource = 0;  // RLIMIT_*
  std::uint64_t soft = 0;
  std::uint64_t hard = 0;
  bool operator==(const Ulimit&) const = default;
};

// Values are the kernel's units (bytes, seconds, counts); "-1" and "unlimited" mean no limit; HARD left out is SOFT.
// Throws Error (refused) for an unknown name, a value that is no number, or soft above hard.
Ulimit parse_ulimit(std::string_view text);

struct ClampedUlimit {
  Ulimit limit;
  std::optional<std::string> warning;
};
// `current_hard` is the caller's own hard limit of the resource, `may_raise` whether it has CAP_SYS_RESOURCE.
ClampedUlimit clamp_ulimit(const Ulimit& wanted, std::uint64_t current_hard, bool may_raise);

// The caller's own hard limit. Throws Error (EINVAL) for a resource the kernel does not know.
std::uint64_t hard_limit(int resource);

// One prlimit step each, clamped to what this process may set; the sentences about clamping go to plan.warnings. `current_hard`
// has the caller's hard limit of each entry of `limits`, so that the plan stays pure.
std::vector<plan::StepRef> add_ulimit_steps(plan::Plan& plan, plan::Lane lane, const std::vector<Ulimit>& limits,
                                            const std::vector<std::uint64_t>& current_hard, bool may_raise);

}  // namespace drydock::security
