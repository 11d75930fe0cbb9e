#include <drydock/plan/executor/init.hpp>

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <drydock/kernel/raw.hpp>

namespace drydock::plan::executor {

namespace {

int status_of(int status) {
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

// Reaps everything that has ended; true when `main` was among it.
bool reap(int main, int& exit_status) {
  bool main_ended = false;
  for (;;) {
    int status = 0;
    const long pid = raw::call(SYS_wait4, -1, &status, WNOHANG, nullptr);
    if (pid == -EINTR) continue;
    if (pid <= 0) return main_ended;
    if (pid == main) {
      main_ended = true;
      exit_status = status_of(status);
    }
  }
}

}  // namespace

int init_loop(int main) {
  raw::call(SYS_prctl, PR_SET_NAME, "drydock-init", 0, 0, 0);
  // Nothing of the program is ours to hold open: a pipe that it closes must be closed.
  raw::call(SYS_close_range, 0, ~0U, 0);
  const std::uint64_t all = ~std::uint64_t{0};
  raw::call(SYS_rt_sigprocmask, SIG_SETMASK, &all, nullptr, sizeof all);
  int exit_status = 0;
  if (reap(main, exit_status)) return exit_status;
  for (;;) {
    siginfo_t info;
    const long number = raw::call(SYS_rt_sigtimedwait, &all, &info, nullptr, sizeof all);
    if (raw::failed(number)) continue;
    if (number == SIGCHLD) {
      if (reap(main, exit_status)) return exit_status;  // the kernel ends everything else with pid 1
    } else {
      raw::call(SYS_kill, main, number);
    }
  }
}

}  // namespace drydock::plan::executor
