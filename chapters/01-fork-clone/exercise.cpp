// Programs that are started, and waited for. What each function must do stands in exercise.hpp; `./lab check 01` looks whether it
// does.
#include "exercise.hpp"

#include <errno.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

// EXERCISE 01.1 run_jobs
int run_jobs(char* const* const* argvs, int count, int max, int* statuses) {
  // BEGIN SOLUTION
  pid_t* pids = static_cast<pid_t*>(calloc(static_cast<size_t>(count) + 1, sizeof(pid_t)));
  if (pids == nullptr) return -ENOMEM;
  int running = 0, started = 0, result = 0;
  while (result == 0 && (running > 0 || started < count)) {
    if (running < max && started < count) {
      const pid_t pid = fork();
      if (pid == 0) {
        execv(argvs[started][0], argvs[started]);
        _exit(127);
      }
      if (pid < 0) {
        result = -errno;
        break;
      }
      pids[started++] = pid;
      ++running;
      continue;
    }
    int status = 0;
    const pid_t ended = waitpid(-1, &status, 0);
    if (ended < 0) {
      if (errno != EINTR) result = -errno;
      continue;
    }
    for (int job = 0; job < started; ++job)
      if (pids[job] == ended) {
        statuses[job] = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
        --running;
      }
  }
  free(pids);
  return result;
  // STUB: (void)argvs;
  // STUB: (void)count;
  // STUB: (void)max;
  // STUB: (void)statuses;
  // STUB: return -ENOSYS;  // TODO(01.1): start up to max, wait for any, start the next
  // END SOLUTION
}

// EXERCISE 01.2 reap_all
int reap_all() {
  // BEGIN SOLUTION
  if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0) return -errno;
  int reaped = 0;
  for (;;) {
    if (waitpid(-1, nullptr, 0) > 0) {
      ++reaped;
    } else if (errno == ECHILD) {
      return reaped;
    } else if (errno != EINTR) {
      return -errno;
    }
  }
  // STUB: return -ENOSYS;  // TODO(01.2): become the parent of orphans, then wait until nobody is left
  // END SOLUTION
}
