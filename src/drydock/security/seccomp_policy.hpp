// A seccomp policy as data: which system calls a container may make, and what happens at the others.
//
// Rules of one call are tried in order; the first whose conditions all hold decides; a rule without conditions ends the list;
// after the last one the default decides. seccomp_compile.hpp turns a policy into a program for the kernel.
//
// Example: Policy policy = default_policy(capabilities);
//          policy.rules.push_back({"kcmp", act_errno(EPERM), {}});
// Chapter: 19. Source: seccomp(2), seccomp_rule_add(3), Docker's documentation of its default profile.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drydock::security {

enum class Compare : std::uint8_t { equal, not_equal, less, less_equal, greater, greater_equal, masked_equal };

// One condition on one argument (64 bits, as the register holds it). masked_equal: (argument & mask) == value.
// A trap: the kernel looks at 32 bits of an `int` argument, so equal and not_equal on the whole register can be led astray by
// its upper half. Mask with 0xffffffff what is an int.
struct Condition {
  std::uint8_t index = 0;
  Compare compare = Compare::equal;
  std::uint64_t value = 0;
  std::uint64_t mask = ~std::uint64_t{0};
  bool operator==(const Condition&) const = default;
};

using Action = std::uint32_t;  // SECCOMP_RET_*, with its 16 bits of data
Action act_allow();
Action act_errno(int code);

struct Rule {
  std::string call;  // name, "openat"; a name that an architecture does not have is passed over there
  Action action = 0;
  std::vector<Condition> conditions;
};

struct Policy {
  Action default_action = 0;
  std::vector<Rule> rules;
  bool second_architecture = true;  // 32-bit programs too (i386 on x86-64, arm on arm64), under the same rules
};

// An allow list in the spirit of Docker's. Calls that need a capability are allowed only with it; without CAP_SYS_ADMIN clone
// makes no namespaces and clone3, whose flags a filter cannot see, does not exist (ENOSYS: the C library falls back to clone).
// The rest gives EPERM, and calls newer than the newest we know ENOSYS, so that programs fall back to what they used before.
Policy default_policy(std::uint64_t capabilities);

// Reads a profile in Docker's JSON format (also the `seccomp` object of an OCI configuration): defaultAction, defaultErrnoRet,
// archMap or architectures, syscalls with name(s), action, errnoRet, args, includes and excludes (caps, arches, minKernel).
// `origin` is the object named in errors, `kernel` "6.18.1" decides minKernel. Throws Error (refused) on a profile that is no
// JSON, has unknown actions or operators, or asks for a supervisor (SCMP_ACT_NOTIFY).
Policy policy_from_json(std::string_view json, const std::string& origin, std::uint64_t capabilities, std::string_view kernel);

// True when `kernel` ("6.18.44-fc") is at least `wanted` ("4.8").
bool kernel_at_least(std::string_view kernel, std::string_view wanted);

}  // namespace drydock::security
