// From a seccomp policy to the program that the kernel runs at every system call.
//
// The shape decides the cost. The kernel walks the program once per system call number when it is installed (to learn which
// calls are always allowed, Linux 5.11), so a chain of comparisons costs the square of its length. Neighbouring numbers with the
// same fate are one range, the ranges are the leaves of a balanced tree, and every call is decided in about eight comparisons.
// libseccomp knows the numbers of the calls; its own tree has one leaf per call and is several times longer.
//
// Example: const std::string program = compile(default_policy(mask));   // an array of struct sock_filter
// Source: seccomp(2), kernel Documentation/userspace-api/seccomp_filter.rst, linux/filter.h; kernel/seccomp.c.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <drydock/security/seccomp_policy.hpp>

namespace drydock::security {

enum class Architecture { native, second };

// The number of a call; empty when the architecture does not have it. Calls that this libseccomp is too old for are known too.
std::optional<int> call_number(std::string_view name, Architecture architecture);

// AUDIT_ARCH_* of what seccomp_data.arch holds.
std::uint32_t audit_architecture(Architecture architecture);

// The program as an array of struct sock_filter in the machine's byte order. Calls beyond the highest number in the policy get
// ENOSYS when the default is an errno; an architecture that is not in the policy is killed.
// Throws Error (refused) for a policy of more than 4096 instructions, the kernel's limit.
std::string compile(const Policy& policy);

inline constexpr std::size_t instruction_size = 8;

}  // namespace drydock::security
