#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include <drydock/kernel/error.hpp>
#include <drydock/kernel/sys.hpp>
#include <drydock/process/exit_status.hpp>
#include <drydock/process/wait.hpp>

#include "support/catch.hpp"
#include "support/forked.hpp"

using namespace drydock;
using namespace drydock::process;

namespace {

// A child that runs `body` and ends with its result.
template <typename Body>
pid_t child(Body body) {
  const pid_t pid = test::forked();
  if (pid == 0) ::_exit(body());
  return pid;
}

int stand_still() {
  for (;;) ::pause();
}

}  // namespace

TEST_CASE("an exit status is decoded as the shell counts it", "[process]") {
  CHECK(ExitStatus::from_wait(W_EXITCODE(3, 0)) == ExitStatus{false, 3, false});
  CHECK(ExitStatus::from_wait(W_EXITCODE(3, 0)).code() == 3);
  CHECK(ExitStatus::from_wait(W_EXITCODE(255, 0)).words() == "exited with 255");
  const ExitStatus killed = ExitStatus::from_wait(W_EXITCODE(0, SIGKILL));
  CHECK(killed.code() == 137);
  CHECK(killed.words() == "killed by SIGKILL");
  CHECK(ExitStatus::from_wait(W_EXITCODE(0, SIGSEGV) | WCOREFLAG).words() == "killed by SIGSEGV (core dumped)");
  CHECK_THROWS_AS(ExitStatus::from_wait(W_STOPCODE(SIGSTOP)), Error);
}

TEST_CASE("siginfo says the same", "[process]") {
  siginfo_t info = {};
  info.si_code = CLD_EXITED;
  info.si_status = 7;
  CHECK(ExitStatus::from_siginfo(info).code() == 7);
  info.si_code = CLD_KILLED;
  info.si_status = SIGTERM;
  CHECK(ExitStatus::from_siginfo(info).code() == 143);
  info.si_code = CLD_DUMPED;
  CHECK(ExitStatus::from_siginfo(info).core_dumped);
  info.si_code = CLD_STOPPED;
  CHECK_THROWS_AS(ExitStatus::from_siginfo(info), Error);
}

TEST_CASE("a code above 128 is explained, not claimed", "[process]") {
  CHECK(describe_code(0) == "exited with 0");
  CHECK(describe_code(137) == "exited with 137 (128+9: SIGKILL)");
  CHECK(describe_code(128) == "exited with 128");
  CHECK(describe_code(255) == "exited with 255");
}

TEST_CASE("a child is waited for by its pidfd", "[process]") {
  const pid_t exits = child([] { return 5; });
  CHECK(wait_child(sys::pidfd_open(exits), 5000)->code() == 5);

  const pid_t stays = child(stand_still);
  const Fd pidfd = sys::pidfd_open(stays);
  const std::uint64_t start = sys::monotonic_ns();
  CHECK_FALSE(wait_child(pidfd, 50).has_value());
  CHECK(sys::monotonic_ns() - start >= 50'000'000u);
  CHECK_FALSE(wait_ended(pidfd, 0));
  REQUIRE(sys::pidfd_send_signal(pidfd, SIGKILL));
  CHECK(wait_ended(pidfd, 5000));  // a zombie has ended
  const auto status = wait_child(pidfd, 0);
  REQUIRE(status.has_value());
  CHECK(status->words() == "killed by SIGKILL");
  CHECK_FALSE(sys::pidfd_send_signal(pidfd, SIGKILL));
}

TEST_CASE("another's process can be watched, not reaped", "[process]") {
  const Fd parent = sys::pidfd_open(::getppid());
  CHECK_FALSE(wait_ended(parent, 0));
  int ready[2];
  REQUIRE(::pipe(ready) == 0);
  const Fd from(ready[0]), to(ready[1]);
  // A grandchild whose parent is not this process.
  const pid_t middle = child([&] {
    const pid_t pid = child([] { return 9; });
    siginfo_t info;
    ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT);
    [[maybe_unused]] const auto count = ::write(to.get(), &pid, sizeof pid);
    return stand_still();
  });
  pid_t grandchild = 0;
  REQUIRE(::read(from.get(), &grandchild, sizeof grandchild) == sizeof grandchild);
  const Fd pidfd = sys::pidfd_open(grandchild);
  CHECK(wait_ended(pidfd, 5000));
  CHECK_THROWS_AS(wait_child(pidfd, 0), Error);
  ::kill(middle, SIGKILL);
  CHECK(wait_child(sys::pidfd_open(middle), 5000)->code() == 137);
}
