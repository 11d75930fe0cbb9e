// Seccomp and capabilities as the kernel enforces them: in children of the test, and through a whole plan.
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <limits>

#include <drydock/kernel/raw.hpp>
#include <drydock/kernel/sys.hpp>
#include <drydock/security/capabilities.hpp>
#include <drydock/security/rlimits.hpp>
#include <drydock/security/seccomp.hpp>
#include <drydock/security/seccomp_compile.hpp>

#include "support/catch.hpp"
#include "support/forked.hpp"
#include "support/needs.hpp"

using namespace drydock;
using namespace drydock::security;

namespace {

constexpr std::uint64_t docker_mask = 0xa80425fb;

long install(const std::string& program) {
  sock_fprog filter{};
  filter.len = static_cast<unsigned short>(program.size() / sizeof(sock_filter));
  filter.filter = reinterpret_cast<sock_filter*>(const_cast<char*>(program.data()));
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return -1;
  return raw::call(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter);
}

// The value that `body` returns in a child that runs under `program`; -1 when it was killed.
int under(const std::string& program, const std::function<int()>& body) {
  const pid_t child = test::forked();
  if (child == 0) ::_exit(raw::failed(install(program)) ? 111 : body());
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

template <typename... Args>
int refusal(long number, Args... args) {
  return raw::error_of(raw::call(number, args...));
}

// The quickest of `tries` installations in children, in nanoseconds.
std::uint64_t install_time(const std::string& program, int tries) {
  std::uint64_t best = std::numeric_limits<std::uint64_t>::max();
  for (int i = 0; i < tries; ++i) {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    const pid_t child = test::forked();
    if (child == 0) {
      (void)::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
      const std::uint64_t before = sys::monotonic_ns();
      const bool failed = raw::failed(install(program));
      const std::uint64_t took = failed ? 0 : sys::monotonic_ns() - before;
      (void)!::write(ends[1], &took, sizeof took);
      ::_exit(0);
    }
    std::uint64_t took = 0;
    REQUIRE(::read(ends[0], &took, sizeof took) == sizeof took);
    ::close(ends[0]);
    ::close(ends[1]);
    ::waitpid(child, nullptr, 0);
    REQUIRE(took != 0);
    best = std::min(best, took);
  }
  return best;
}

std::string linear_program_of_libseccomp(const Policy& policy) {
  scmp_filter_ctx context = seccomp_init(SCMP_ACT_ERRNO(EPERM));
  for (const Rule& rule : policy.rules)
    if (const int number = seccomp_syscall_resolve_name(rule.call.c_str());
        number >= 0 && rule.conditions.empty() && rule.action == act_allow())
      seccomp_rule_add(context, SCMP_ACT_ALLOW, number, 0);
  const Fd file = sys::memfd_create("filter", 0);
  seccomp_export_bpf(context, file.get());
  seccomp_release(context);
  return sys::read_all(sys::open("/proc/self/fd/" + std::to_string(file.get()), O_RDONLY));
}

}  // namespace

TEST_CASE("under the default filter the kernel refuses what the profile denies", "[security][N4-006]") {
  const std::string program = seccomp_program({"default", docker_mask}, "").bytes;
  CHECK(under(program, [] { return refusal(SYS_mount, nullptr, "/", nullptr, 0, nullptr); }) == EPERM);
  CHECK(under(program, [] { return refusal(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0); }) == EPERM);
  CHECK(under(program, [] { return refusal(SYS_reboot, 0, 0, 0, nullptr); }) == EPERM);
  CHECK(under(program, [] { return refusal(SYS_unshare, CLONE_NEWUSER); }) == EPERM);
  CHECK(under(program, [] { return refusal(SYS_clone, CLONE_NEWUSER | SIGCHLD, nullptr); }) == EPERM);
  CHECK(under(program, [] { return refusal(SYS_clone3, nullptr, 0); }) == ENOSYS);
  CHECK(under(program, [] { return refusal(SYS_socket, AF_VSOCK, SOCK_STREAM, 0); }) == EPERM);
  CHECK(under(program, [] { return refusal(SYS_io_uring_setup, 1, nullptr); }) == EPERM);
  CHECK(under(program, [] { return refusal(SYS_userfaultfd, 0); }) == EPERM);
  CHECK(under(program, [] { return refusal(SYS_personality, ADDR_NO_RANDOMIZE); }) == EPERM);
  CHECK(under(program, [] { return refusal(4000); }) == ENOSYS);
}

TEST_CASE("and lets ordinary programs work", "[security]") {
  const std::string program = seccomp_program({"default", docker_mask}, "").bytes;
  CHECK(under(program, [] { return refusal(SYS_personality, 0xffffffff); }) == 0);
  CHECK(under(program, [] { return refusal(SYS_getpid); }) == 0);
  CHECK(under(program, [] {
          const pid_t child = ::fork();
          if (child == 0) {
            ::execl("/bin/sh", "sh", "-c", "echo hello | cat > /dev/null; exit 7", nullptr);
            ::_exit(1);
          }
          int status = 0;
          ::waitpid(child, &status, 0);
          return WEXITSTATUS(status);
        }) == 7);
  CHECK(under(program, [] { return ::socket(AF_UNIX, SOCK_STREAM, 0) < 0 ? 1 : 0; }) == 0);
}

#if defined(__x86_64__)
TEST_CASE("32-bit calls of a 64-bit program meet the same rules", "[security]") {
  const std::string program = seccomp_program({"default", docker_mask}, "").bytes;
  const auto call32 = [](long number) {
    long result = number;
    asm volatile("int $0x80" : "+a"(result) : "b"(0L), "c"(0L), "d"(0L), "S"(0L), "D"(0L) : "memory", "r8", "r9", "r10", "r11");
    return static_cast<int>(result);
  };
  const pid_t probe = test::forked();
  if (probe == 0) ::_exit(call32(20) == ::getpid() ? 0 : 1);
  int status = 0;
  ::waitpid(probe, &status, 0);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) DRYDOCK_SKIP("the kernel runs no 32-bit calls; CONFIG_IA32_EMULATION");
  CHECK(under(program, [&] { return call32(20) == ::getpid() ? 0 : 1; }) == 0);
  CHECK(under(program, [&] { return -call32(21 /* mount */); }) == EPERM);
  CHECK(under(program, [&] { return -call32(310 /* unshare */); }) == EPERM);
}
#endif

TEST_CASE("the tree installs faster than a chain of comparisons", "[security]") {
  const Policy policy = default_policy(docker_mask);
  const std::string ours = compile(policy), chain = linear_program_of_libseccomp(policy);
  const std::uint64_t tree_ns = install_time(ours, 40), chain_ns = install_time(chain, 40);
  std::cout << "seccomp: tree of " << ours.size() / 8 << " instructions (two architectures) " << tree_ns / 1000
            << " us, chain of " << chain.size() / 8 << " (one) " << chain_ns / 1000 << " us\n";
  CHECK(tree_ns < chain_ns);
}

TEST_CASE("what this process has is what the kernel says", "[security][N4-008]") {
  const std::uint64_t available = available_capabilities();
  CHECK((available & ~all_capabilities()) == 0);
  for (int number = 0; number < 64; ++number) {
    if ((all_capabilities() >> number & 1) == 0) continue;
    const bool bounding = ::prctl(PR_CAPBSET_READ, number, 0, 0, 0) == 1;
    if (!bounding) CHECK((available >> number & 1) == 0);
  }
}

TEST_CASE("the hard limit is the kernel's", "[security]") {
  rlimit current{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &current) == 0);
  CHECK(hard_limit(RLIMIT_NOFILE) == current.rlim_max);
}
