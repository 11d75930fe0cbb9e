// Seccomp profiles in Docker's format, and the cache of compiled programs.
#include <drydock/kernel/error.hpp>
#include <drydock/kernel/sys.hpp>
#include <drydock/security/seccomp.hpp>
#include <drydock/security/seccomp_compile.hpp>
#include <drydock/security/seccomp_policy.hpp>

#include <linux/capability.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <signal.h>

#include "support/needs.hpp"
#include "unit/security_bpf.hpp"

using namespace drydock;
using namespace drydock::security;
using namespace drydock::test;

namespace {

constexpr std::uint64_t docker_mask = 0xa80425fb;

}  // namespace

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
  for (
      const char* json :
      {"", "{", "[]", "1", "{}", R"({"defaultAction":"SCMP_ACT_NONSENSE"})", R"({"defaultAction":7})",
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
