// MUTANT run_jobs
// FAIL 1a
// BLOCKED 1c
// Waits for the oldest one: those that ended before it are zombies, and their places stay empty.
int run_jobs(char* const* const* argvs, int count, int max, int* statuses) {
  pid_t pids[64];
  int started = 0, waited = 0;
  while (waited < count) {
    if (started < count && started - waited < max) {
      pids[started] = fork();
      if (pids[started] < 0) return -errno;
      if (pids[started] == 0) {
        execv(argvs[started][0], argvs[started]);
        _exit(127);
      }
      ++started;
      continue;
    }
    int status = 0;
    if (waitpid(pids[waited], &status, 0) < 0) return -errno;
    statuses[waited++] = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  }
  return 0;
}
