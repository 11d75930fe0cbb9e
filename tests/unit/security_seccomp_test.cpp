// Seccomp: the compiled program is run here by a small interpreter and compared with the policy, and with libseccomp's own.
#include <drydock/kernel/error.hpp>
#include <drydock/kernel/sys.hpp>
#include <drydock/security/seccomp.hpp>
#include <drydock/security/seccomp_compile.hpp>
#include <drydock/security/seccomp_policy.hpp>

#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <random>

#include "support/catch.hpp"
#include "support/needs.hpp"

using namespace drydock;
using namespace drydock::security;

namespace {

// The matcher has another name in version 3 of Catch2.
#if DRYDOCK_CATCH_MAJOR >= 3
using Catch::Matchers::ContainsSubstring;
#else
auto ContainsSubstring(const std::string& text) { return Catch::Contains(text); }
#endif

using Arguments = std::array<std::uint64_t, 6>;

// Classic BPF as the kernel runs it, for the instructions that a seccomp filter uses. 0xdead: the program left its bounds.
std::uint32_t run(const std::string& program, std::uint32_t architecture, std::uint32_t number, const Arguments& arguments = {}) {
  seccomp_data data{};
  data.nr = static_cast<int>(number);
  data.arch = architecture;
  std::memcpy(data.args, arguments.data(), sizeof data.args);
  std::uint32_t accumulator = 0;
  for (std::size_t at = 0; (at + 1) * sizeof(sock_filter) <= program.size(); ++at) {
    sock_filter instruction{};
    std::memcpy(&instruction, program.data() + at * sizeof instruction, sizeof instruction);
    switch (instruction.code) {
      case BPF_LD | BPF_W | BPF_ABS:
        if (instruction.k % 4 != 0 || instruction.k + 4 > sizeof data) return 0xdead;
        std::memcpy(&accumulator, reinterpret_cast<const char*>(&data) + instruction.k, 4);
        break;
      case BPF_ALU | BPF_AND | BPF_K: accumulator &= instruction.k; break;
      case BPF_JMP | BPF_JA: at += instruction.k; break;
      case BPF_JMP | BPF_JEQ | BPF_K: at += accumulator == instruction.k ? instruction.jt : instruction.jf; break;
      case BPF_JMP | BPF_JGE | BPF_K: at += accumulator >= instruction.k ? instruction.jt : instruction.jf; break;
      case BPF_JMP | BPF_JGT | BPF_K: at += accumulator > instruction.k ? instruction.jt : instruction.jf; break;
      case BPF_RET | BPF_K: return instruction.k;
      default: return 0xdead;
    }
  }
  return 0xdead;
}

const std::uint32_t native = audit_architecture(Architecture::native);
const std::uint32_t second = audit_architecture(Architecture::second);
constexpr std::uint32_t allowed = SECCOMP_RET_ALLOW;
constexpr std::uint32_t eperm = SECCOMP_RET_ERRNO | EPERM;
constexpr std::uint32_t enosys = SECCOMP_RET_ERRNO | ENOSYS;
constexpr std::uint64_t docker_mask = 0xa80425fb;

std::uint32_t decision(const std::string& program, std::string_view call, const Arguments& arguments = {}) {
  const auto number = call_number(call, Architecture::native);
  REQUIRE(number.has_value());
  return run(program, native, static_cast<std::uint32_t>(*number), arguments);
}

bool holds(const Condition& condition, std::uint64_t value) {
  switch (condition.compare) {
    case Compare::equal: return value == condition.value;
    case Compare::not_equal: return value != condition.value;
    case Compare::less: return value < condition.value;
    case Compare::less_equal: return value <= condition.value;
    case Compare::greater: return value > condition.value;
    case Compare::greater_equal: return value >= condition.value;
    case Compare::masked_equal: return (value & condition.mask) == condition.value;
  }
  return false;
}

}  // namespace

TEST_CASE("default profile: what a container's root may not do", "[security][N4-006]") {
  const std::string program = compile(default_policy(docker_mask));
  for (const auto* call : {"mount", "umount2", "keyctl", "add_key", "request_key", "reboot", "unshare", "setns", "init_module", "kexec_load",
                           "swapon", "bpf", "perf_event_open", "userfaultfd", "io_uring_setup", "move_pages", "ioperm", "settimeofday",
                           "open_by_handle_at", "pivot_root", "quotactl", "acct", "nfsservctl", "fsopen", "move_mount"}) {
    INFO(call);
    CHECK(decision(program, call) == eperm);
  }
  for (const auto* call : {"read", "openat2", "execve", "ptrace", "futex_waitv", "clock_gettime", "prctl", "seccomp", "chroot", "setgroups",
                           "capset", "close_range", "io_submit", "statx", "process_vm_readv", "fchmodat2", "sendmsg"}) {
    INFO(call);
    CHECK(decision(program, call) == allowed);
  }
}

TEST_CASE("default profile: namespaces only with CAP_SYS_ADMIN, clone3 is not there", "[security]") {
  const std::string without = compile(default_policy(docker_mask));
  CHECK(decision(without, "clone", {SIGCHLD}) == allowed);
  CHECK(decision(without, "clone", {CLONE_VM | CLONE_THREAD | CLONE_SIGHAND}) == allowed);
  for (const std::uint64_t flag : {CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET, CLONE_NEWCGROUP}) {
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
  for (const std::uint64_t persona : {0x0UL, 0x8UL, 0x20000UL, 0x20008UL, 0xffffffffUL}) CHECK(decision(program, "personality", {persona}) == allowed);
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
  const std::uint64_t edges[] = {0, 1, 4, 5, 6, 0xffffffff, 0x100000000, 0x100000005, 0x500000005, 0x500000004, 0x500000006, 0x400000005,
                                 0x600000000, 0x8000000000000000, ~std::uint64_t{0}};
  for (const Compare compare : {Compare::equal, Compare::not_equal, Compare::less, Compare::less_equal, Compare::greater, Compare::greater_equal})
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
  const char* const calls[] = {"read", "write", "open", "close", "mmap", "ioctl", "socket", "clone", "futex", "kill", "openat2", "rseq"};
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
        if (!std::all_of(rule.conditions.begin(), rule.conditions.end(), [&](const Condition& c) { return holds(c, arguments[c.index]); })) continue;
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
  std::erase_if(policy.rules, [](const Rule& rule) { return !rule.conditions.empty() || rule.action != act_allow() || rule.call == "socket"; });
  for (const Rule& rule : policy.rules)
    if (const int number = seccomp_syscall_resolve_name(rule.call.c_str()); number >= 0) seccomp_rule_add(context, SCMP_ACT_ALLOW, number, 0);
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

TEST_CASE("Docker's JSON: names, args, includes and excludes", "[security]") {
  const char* json = R"({"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":38,
    "archMap":[{"architecture":"SCMP_ARCH_X86_64","subArchitectures":["SCMP_ARCH_X86","SCMP_ARCH_X32"]}],
    "syscalls":[
      {"names":["read","write","no_such_call"],"action":"SCMP_ACT_ALLOW","args":[],"comment":"","includes":{},"excludes":{}},
      {"name":"getpid","action":"SCMP_ACT_LOG"},
      {"names":["mount"],"action":"SCMP_ACT_ALLOW","includes":{"caps":["CAP_SYS_ADMIN"]}},
      {"names":["mount"],"action":"SCMP_ACT_ERRNO","errnoRet":1,"excludes":{"caps":["CAP_SYS_ADMIN"]}},
      {"names":["ptrace"],"action":"SCMP_ACT_ALLOW","includes":{"minKernel":"4.8"}},
      {"names":["kcmp"],"action":"SCMP_ACT_ALLOW","includes":{"arches":["s390x"]}},
      {"names":["personality"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":8,"op":"SCMP_CMP_EQ"}]},
      {"names":["clone"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":2114060288,"valueTwo":0,"op":"SCMP_CMP_MASKED_EQ"}]},
      {"names":["dup"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":1,"op":"SCMP_CMP_EQ"},{"index":0,"value":2,"op":"SCMP_CMP_EQ"}]},
      {"names":["dup"],"action":"SCMP_ACT_KILL_PROCESS","args":[{"index":0,"value":7,"op":"SCMP_CMP_EQ"}]},
      {"names":["kill"],"action":"SCMP_ACT_TRAP","args":[{"index":1,"value":9,"op":"SCMP_CMP_EQ"}]},
      {"names":["kill"],"action":"SCMP_ACT_ALLOW"}]})";
  const std::string program = compile(policy_from_json(json, "test", docker_mask, "6.1.0-18"));
  CHECK(decision(program, "read") == allowed);
  CHECK(decision(program, "getpid") == SECCOMP_RET_LOG);
  CHECK(decision(program, "mount") == eperm);
  CHECK(decision(program, "ptrace") == allowed);
  CHECK(decision(program, "kcmp") == enosys);
  CHECK(decision(program, "personality", {8}) == allowed);
  CHECK(decision(program, "personality", {0}) == enosys);
  CHECK(decision(program, "clone", {CLONE_NEWNET}) == enosys);
  CHECK(decision(program, "clone", {SIGCHLD}) == allowed);
  // Two conditions on one argument are alternatives.
  CHECK(decision(program, "dup", {1}) == allowed);
  CHECK(decision(program, "dup", {2}) == allowed);
  CHECK(decision(program, "dup", {7}) == SECCOMP_RET_KILL_PROCESS);
  // A rule without conditions beats one with.
  CHECK(decision(program, "kill", {1, 9}) == allowed);
#if defined(__x86_64__)
  CHECK(run(program, second, 3 /* read on i386 */) == allowed);
#endif
  const std::uint64_t admin = std::uint64_t{1} << CAP_SYS_ADMIN;
  const std::string old_kernel = compile(policy_from_json(json, "test", admin, "4.7.9"));
  CHECK(decision(old_kernel, "mount") == allowed);
  CHECK(decision(old_kernel, "ptrace") == enosys);
}

TEST_CASE("a profile that cannot be understood is refused with its name", "[security]") {
  for (const char* json : {"", "{", "[]", "1", "{}", R"({"defaultAction":"SCMP_ACT_NONSENSE"})", R"({"defaultAction":7})",
                           R"({"defaultAction":"SCMP_ACT_NOTIFY"})", R"({"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["read"]}]})",
                           R"({"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["read"],"action":"SCMP_ACT_KILL","args":[{"index":0,"value":1,"op":"X"}]}]})",
                           R"({"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["read"],"action":"SCMP_ACT_KILL","args":[{"index":6,"value":1,"op":"SCMP_CMP_EQ"}]}]})",
                           R"({"defaultAction":"SCMP_ACT_ALLOW","syscalls":7})"}) {
    INFO(json);
    CHECK_THROWS_WITH(policy_from_json(json, "my.json", 0, "6.1"), ContainsSubstring("my.json"));
  }
  CHECK_THROWS_WITH(seccomp_program({"/nowhere.json", 0}, ""), ContainsSubstring("/nowhere.json"));
  CHECK_THROWS_WITH(seccomp_program({"/dev/null", 0}, ""), ContainsSubstring("not a regular file"));
  CHECK(seccomp_program({"unconfined", 0}, "").bytes.empty());
}

TEST_CASE("the profile that podman ships compiles and decides as it says", "[security]") {
  const std::string path = "/usr/share/containers/seccomp.json";
  if (!sys::exists(path)) DRYDOCK_SKIP("no " + path + "; install golang-github-containers-common");
  const std::string program = seccomp_program({path, docker_mask}, "").bytes;
  CHECK(decision(program, "read") == allowed);
  CHECK(decision(program, "kexec_load") == eperm);
  CHECK(decision(program, "bpf") == eperm);
  CHECK(decision(program, "personality", {0x20008}) == allowed);
  CHECK(decision(program, "personality", {0x40000}) == enosys);
}

TEST_CASE("kernel versions compare by number", "[security]") {
  CHECK(kernel_at_least("6.18.44-fc", "4.8"));
  CHECK(kernel_at_least("4.10", "4.8"));
  CHECK_FALSE(kernel_at_least("4.7.99", "4.8"));
  CHECK(kernel_at_least("4.8", "4.8.0"));
  CHECK_FALSE(kernel_at_least("", "1"));
}

TEST_CASE("a cache entry that is damaged in any byte is not used", "[security]") {
  const std::string key(32, 'k');
  const std::string program = compile({act_errno(EPERM), {{"read", act_allow(), {}}}, false});
  const std::string entry = cache_entry(key, program);
  CHECK(parse_cache_entry(key, entry) == program);
  CHECK_FALSE(parse_cache_entry(std::string(32, 'x'), entry));
  CHECK_FALSE(parse_cache_entry(key, ""));
  for (std::size_t at = 0; at < entry.size(); ++at) {
    std::string damaged = entry;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    REQUIRE_FALSE(parse_cache_entry(key, damaged));
    REQUIRE_FALSE(parse_cache_entry(key, entry.substr(0, at)));
  }
}

TEST_CASE("the cache: compiled once, read back, replaced when damaged or not ours", "[security]") {
  const std::string directory = "/tmp/drydock-test-" + sys::random_hex(16);
  const SeccompRequest request{"default", docker_mask};
  const SeccompProgram first = seccomp_program(request, directory);
  CHECK_FALSE(first.from_cache);
  const SeccompProgram again = seccomp_program(request, directory);
  CHECK(again.from_cache);
  CHECK(again.bytes == first.bytes);
  // Another capability mask is another entry.
  CHECK_FALSE(seccomp_program({"default", docker_mask | std::uint64_t{1} << CAP_SYS_ADMIN}, directory).from_cache);
  CHECK(sys::list_directory(directory).size() == 2);
  for (const std::string& name : sys::list_directory(directory)) sys::write_file(directory + "/" + name, "XXXXXXXX");
  const SeccompProgram repaired = seccomp_program(request, directory);
  CHECK_FALSE(repaired.from_cache);
  CHECK(repaired.bytes == first.bytes);
  CHECK(seccomp_program(request, directory).from_cache);
  sys::remove_tree(directory);
  // A cache that cannot be written is no error.
  CHECK(seccomp_program(request, "/proc/nowhere").bytes == first.bytes);
}
