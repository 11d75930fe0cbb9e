// MUTANT run_jobs
// FAIL 1b
// Takes the exit code of a program that a signal has ended: it has none.
int run_jobs(char* const* const* argvs, int count, int max, int* statuses) {
  pid_t pids[64];
  int running = 0, started = 0;
  while (running > 0 || started < count) {
    if (running < max && started < count) {
      pids[started] = fork();
      if (pids[started] < 0) return -errno;
      if (pids[started] == 0) {
        execv(argvs[started][0], argvs[started]);
        _exit(127);
      }
      ++started;
      ++running;
      continue;
    }
    int status = 0;
    const pid_t ended = waitpid(-1, &status, 0);
    if (ended < 0) return -errno;
    for (int job = 0; job < started; ++job)
      if (pids[job] == ended) statuses[job] = WEXITSTATUS(status);
    --running;
  }
  return 0;
}
