// MUTANT run_jobs
// FAIL 1a
// BLOCKED 1c
// Forgets that there is a limit.
int run_jobs(char* const* const* argvs, int count, int max, int* statuses) {
  (void)max;
  pid_t pids[64];
  for (int job = 0; job < count; ++job) {
    pids[job] = fork();
    if (pids[job] < 0) return -errno;
    if (pids[job] == 0) {
      execv(argvs[job][0], argvs[job]);
      _exit(127);
    }
  }
  for (int job = 0; job < count; ++job) {
    int status = 0;
    if (waitpid(pids[job], &status, 0) < 0) return -errno;
    statuses[job] = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  }
  return 0;
}
