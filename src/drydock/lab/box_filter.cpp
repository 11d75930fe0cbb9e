// The deny list of a box.
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>

#include <drydock/lab/box_plan.hpp>
#include <drydock/security/seccomp_compile.hpp>

namespace drydock::lab {

namespace {

using security::Compare;
using security::Condition;

// Keys and their search, what reaches the kernel's own code and memory, the clock, and what belongs to the whole machine.
constexpr const char* denied[] = {"add_key",
                                  "keyctl",
                                  "request_key",
                                  "bpf",
                                  "perf_event_open",
                                  "userfaultfd",
                                  "io_uring_setup",
                                  "io_uring_enter",
                                  "io_uring_register",
                                  "init_module",
                                  "finit_module",
                                  "delete_module",
                                  "kexec_load",
                                  "kexec_file_load",
                                  "open_by_handle_at",
                                  "swapon",
                                  "swapoff",
                                  "reboot",
                                  "acct",
                                  "quotactl",
                                  "syslog",
                                  "clock_settime",
                                  "clock_adjtime",
                                  "adjtimex",
                                  "settimeofday",
                                  "iopl",
                                  "ioperm",
                                  "vhangup"};

// An `int` argument: its upper half is not looked at by the kernel.
Condition is_int(std::uint8_t index, std::uint32_t value) {
  return {index, Compare::masked_equal, value, 0xffffffff};
}

constexpr std::uint32_t type_into_terminal = TIOCSTI, paste_into_terminal = TIOCLINUX;

}  // namespace

std::string box_filter() {
  const security::Action no = security::act_errno(EPERM);
  security::Policy policy{security::act_allow(), {}, false};
  for (const char* call : denied) policy.rules.push_back({call, no, {}});
  for (const int family : {AF_VSOCK, AF_ALG})
    policy.rules.push_back({"socket", no, {is_int(0, static_cast<std::uint32_t>(family))}});
  for (const std::uint32_t request : {type_into_terminal, paste_into_terminal})
    policy.rules.push_back({"ioctl", no, {is_int(1, request)}});
  policy.rules.push_back({"personality", security::act_allow(), {is_int(0, 0)}});
  policy.rules.push_back({"personality", security::act_allow(), {is_int(0, 0xffffffff)}});
  policy.rules.push_back({"personality", no, {}});
  return security::compile(policy);
}

}  // namespace drydock::lab
