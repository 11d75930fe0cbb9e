// Numbers of system calls: libseccomp's tables, and the calls that are newer than the libseccomp of Debian 12.
#include <linux/audit.h>
#include <seccomp.h>

#include <drydock/security/seccomp_compile.hpp>

namespace drydock::security {

namespace {

#if defined(__x86_64__)
constexpr std::uint32_t native_audit = AUDIT_ARCH_X86_64, second_audit = AUDIT_ARCH_I386;
constexpr std::uint32_t native_seccomp = SCMP_ARCH_X86_64, second_seccomp = SCMP_ARCH_X86;
#else
constexpr std::uint32_t native_audit = AUDIT_ARCH_AARCH64, second_audit = AUDIT_ARCH_ARM;
constexpr std::uint32_t native_seccomp = SCMP_ARCH_AARCH64, second_seccomp = SCMP_ARCH_ARM;
#endif

struct NewCall {
  std::string_view name;
  int number;
};

// Since 424 a new call has the same number on every architecture.
constexpr NewCall new_calls[] = {
    {"cachestat", 451},         {"fchmodat2", 452},         {"map_shadow_stack", 453}, {"futex_wake", 454},
    {"futex_wait", 455},        {"futex_requeue", 456},     {"statmount", 457},        {"listmount", 458},
    {"lsm_get_self_attr", 459}, {"lsm_set_self_attr", 460}, {"lsm_list_modules", 461}, {"mseal", 462},
    {"setxattrat", 463},        {"getxattrat", 464},        {"listxattrat", 465},      {"removexattrat", 466},
    {"open_tree_attr", 467},    {"file_getattr", 468},      {"file_setattr", 469},
};

}  // namespace

std::uint32_t audit_architecture(Architecture architecture) {
  return architecture == Architecture::native ? native_audit : second_audit;
}

std::optional<int> call_number(std::string_view name, Architecture architecture) {
  const std::string terminated(name);
  const int number = seccomp_syscall_resolve_name_arch(architecture == Architecture::native ? native_seccomp : second_seccomp,
                                                       terminated.c_str());
  if (number >= 0) return number;
  for (const NewCall& call : new_calls)
    if (call.name == name) return call.number;
  return std::nullopt;  // negative: libseccomp's mark for a call that this architecture does not have
}

}  // namespace drydock::security
