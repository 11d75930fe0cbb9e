// Seccomp: the compiled program is run here by a small interpreter and compared with the policy, and with libseccomp's own.
#include <drydock/kernel/sys.hpp>
#include <drydock/security/seccomp_compile.hpp>
#include <drydock/security/seccomp_policy.hpp>

#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <random>

#include "unit/security_bpf.hpp"

using namespace drydock;
using namespace drydock::security;
using namespace drydock::test;

namespace {

constexpr std::uint64_t docker_mask = 0xa80425fb;

bool holds(const Condition& condition, std::uint64_t value) {
  switch (condition.compare) {
    case Compare::equal:
      return value == condition.value;
    case Compare::not_equal:
      return value != condition.value;
    case Compare::less:
      return value < condition.value;
    case Compare::less_equal:
      return value <= condition.value;
    case Compare::greater:
      return value > condition.value;
    case Compare::greater_equal:
      return value >= condition.value;
    case Compare::masked_equal:
      return (value & condition.mask) == condition.value;
  }
  return false;
}

}  // namespace

TEST_CASE("default profile: what a container's root may not do", "[security][N4-006]") {
  const std::string program = compile(default_policy(docker_mask));
  for (const auto* call : {"mount",
                           "umount2",
                           "keyctl",
                           "add_key",
                           "request_key",
                           "reboot",
                           "unshare",
                           "setns",
                           "init_module",
                           "kexec_load",
                           "swapon",
                           "bpf",
                           "perf_event_open",
                           "userfaultfd",
                           "io_uring_setup",
                           "move_pages",
                           "ioperm",
                           "settimeofday",
                           "open_by_handle_at",
                           "pivot_root",
                           "quotactl",
                           "acct",
                           "nfsservctl",
                           "fsopen",
                           "move_mount"}) {
    INFO(call);
    CHECK(decision(program, call) == eperm);
  }
  for (const auto* call :
       {"read", "openat2", "execve", "ptrace", "futex_waitv", "clock_gettime", "prctl", "seccomp", "chroot", "setgroups",
        "capset", "close_range", "io_submit", "statx", "process_vm_readv", "fchmodat2", "sendmsg"}) {
    INFO(call);
    CHECK(decision(program, call) == allowed);
  }
}

TEST_CASE("default profile: namespaces only with CAP_SYS_ADMIN, clone3 is not there", "[security]") {
  const std::string without = compile(default_policy(docker_mask));
  CHECK(decision(without, "clone", {SIGCHLD}) == allowed);
  CHECK(decision(without, "clone", {CLONE_VM | CLONE_THREAD | CLONE_SIGHAND}) == allowed);
  for (const std::uint64_t flag :
       {CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET, CLONE_NEWCGROUP}) {
    CHECK(decision(without, "clone", {flag | SIGCHLD}) == eperm);
    // The kernel looks at the lower half only; the upper half must not hide a flag.
    CHECK(decision(without, "clone", {flag | SIGCHLD | (std::uint64_t{1} << 40)}) == eperm);
  }
  CHECK(decision(without, "clone3") == enosys);
  const std::string with = compile(default_policy(docker_mask | std::uint64_t{1} << CAP_SYS_ADMIN));
  CHECK(decision(with, "clone", {CLONE_NEWUSER}) == allowed);
  CHECK(decision(with, "clone3") == allowed);
  CHECK(decision(with, "mount") == allowed);
  CHECK(decision(with, "reboot") == eperm);
}

TEST_CASE("default profile: families and personalities, as 32-bit values", "[security]") {
  const std::string program = compile(default_policy(docker_mask));
  const std::uint64_t upper = std::uint64_t{1} << 32;
  CHECK(decision(program, "socket", {AF_INET}) == allowed);
  CHECK(decision(program, "socket", {AF_UNIX}) == allowed);
  CHECK(decision(program, "socket", {AF_VSOCK}) == eperm);
  CHECK(decision(program, "socket", {AF_VSOCK | upper}) == eperm);
  for (const std::uint64_t persona : {0x0UL, 0x8UL, 0x20000UL, 0x20008UL, 0xffffffffUL})
    CHECK(decision(program, "personality", {persona}) == allowed);
  CHECK(decision(program, "personality", {0x0040000 /* ADDR_NO_RANDOMIZE */}) == eperm);
}

TEST_CASE("calls that do not exist yet, other architectures, the x32 numbers", "[security]") {
  const std::string program = compile(default_policy(docker_mask));
  CHECK(run(program, native, 5000) == enosys);
  CHECK(run(program, native, 0xffffffff) == enosys);
  CHECK(run(program, AUDIT_ARCH_S390X, 0) == SECCOMP_RET_KILL_PROCESS);
  CHECK(run(program, second, 20 /* getpid, on i386 and arm */) == allowed);
#if defined(__x86_64__)
  CHECK(run(program, native, 0x40000000) == enosys);
  CHECK(run(program, second, 21 /* mount on i386 */) == eperm);
  CHECK(run(program, second, 102 /* socketcall */) == allowed);
#endif
  Policy only_native = default_policy(docker_mask);
  only_native.second_architecture = false;
  CHECK(run(compile(only_native), second, 20) == SECCOMP_RET_KILL_PROCESS);
}

TEST_CASE("every kind of condition, with both halves of the register", "[security]") {
  const std::uint64_t edges[] = {
      0,           1,           4,           5,           6,           0xffffffff,         0x100000000,      0x100000005,
      0x500000005, 0x500000004, 0x500000006, 0x400000005, 0x600000000, 0x8000000000000000, ~std::uint64_t{0}};
  for (const Compare compare :
       {Compare::equal, Compare::not_equal, Compare::less, Compare::less_equal, Compare::greater, Compare::greater_equal})
    for (const std::uint64_t wanted : edges) {
      const Condition condition{2, compare, wanted};
      const std::string program = compile({act_errno(EPERM), {{"read", act_allow(), {condition}}}, false});
      for (const std::uint64_t value : edges) {
        INFO("compare " << static_cast<int>(compare) << " " << std::hex << value << " with " << wanted);
        CHECK(decision(program, "read", {9, 9, value}) == (holds(condition, value) ? allowed : eperm));
      }
    }
}

TEST_CASE("random policies: the program decides as the policy reads", "[security]") {
  std::mt19937_64 random(20261122);
  const auto below = [&](std::uint64_t bound) { return random() % bound; };
  const char* const calls[] = {"read",   "write", "open",  "close", "mmap",    "ioctl",
                               "socket", "clone", "futex", "kill",  "openat2", "rseq"};
  for (int round = 0; round < 60; ++round) {
    Policy policy{act_errno(EPERM), {}, false};
    for (std::uint64_t rule = 0; rule < below(40); ++rule) {
      Rule next{calls[below(std::size(calls))], below(2) == 0 ? act_allow() : act_errno(static_cast<int>(below(30)) + 1), {}};
      for (std::uint64_t i = 0; i < below(4); ++i) {
        Condition condition{static_cast<std::uint8_t>(below(6)), static_cast<Compare>(below(7)), below(4) | below(3) << 32};
        if (condition.compare == Compare::masked_equal) condition.mask = below(8) | below(8) << 32;
        next.conditions.push_back(condition);
      }
      policy.rules.push_back(next);
    }
    const std::string program = compile(policy);
    for (int probe = 0; probe < 200; ++probe) {
      Arguments arguments;
      for (auto& argument : arguments) argument = below(4) | below(3) << 32;
      const std::string call = calls[below(std::size(calls))];
      Action expected = policy.default_action;
      for (const Rule& rule : policy.rules) {
        if (rule.call != call) continue;
        if (!std::all_of(rule.conditions.begin(), rule.conditions.end(),
                         [&](const Condition& c) { return holds(c, arguments[c.index]); }))
          continue;
        expected = rule.action;
        break;
      }
      // Above the highest call of the policy the answer is "no such call".
      const std::uint32_t got = decision(program, call, arguments);
      if (expected == policy.default_action && got == enosys) continue;
      REQUIRE(got == expected);
    }
  }
}

TEST_CASE("libseccomp's own filter of the same rules decides the same", "[security]") {
  scmp_filter_ctx context = seccomp_init(SCMP_ACT_ERRNO(EPERM));
  REQUIRE(context != nullptr);
  Policy policy = default_policy(docker_mask);
  std::erase_if(policy.rules,
                [](const Rule& rule) { return !rule.conditions.empty() || rule.action != act_allow() || rule.call == "socket"; });
  for (const Rule& rule : policy.rules)
    if (const int number = seccomp_syscall_resolve_name(rule.call.c_str()); number >= 0)
      seccomp_rule_add(context, SCMP_ACT_ALLOW, number, 0);
  const Fd file = sys::memfd_create("filter", 0);
  REQUIRE(seccomp_export_bpf(context, file.get()) == 0);
  seccomp_release(context);
  const std::string theirs = sys::read_all(Fd(sys::open("/proc/self/fd/" + std::to_string(file.get()), 0)));
  const std::string ours = compile(policy);
  REQUIRE(theirs.size() > 8 * 100);
  for (std::uint32_t number = 0; number <= 445; ++number) {
    INFO(number);
    CHECK(run(ours, native, number) == run(theirs, native, number));
  }
}

TEST_CASE("the program is a tree: short paths and few instructions", "[security]") {
  Policy policy = default_policy(docker_mask);
  policy.second_architecture = false;
  CHECK(compile(policy).size() / 8 < 200);
  CHECK(compile(default_policy(docker_mask)).size() / 8 < 500);
}

TEST_CASE("a policy larger than the kernel takes is refused", "[security]") {
  Policy policy{act_errno(EPERM), {}, false};
  for (std::uint64_t i = 0; i < 2000; ++i) policy.rules.push_back({"read", act_allow(), {{0, Compare::equal, i << 32 | i}}});
  CHECK_THROWS_WITH(compile(policy), ContainsSubstring("4096"));
}

#ifdef __x86_64__
TEST_CASE("a policy that allows what it does not name has no second door for x32 numbers", "[security]") {
  const std::string program = compile({act_allow(), {{"keyctl", act_errno(EPERM), {}}}, false});
  const std::uint32_t keyctl = static_cast<std::uint32_t>(*call_number("keyctl", Architecture::native));
  CHECK(decision(program, "keyctl") == eperm);
  CHECK(decision(program, "getpid") == allowed);
  CHECK(run(program, native, keyctl | 0x40000000, {}) == enosys);
  CHECK(run(program, second, 1, {}) == SECCOMP_RET_KILL_PROCESS);
}
#endif
