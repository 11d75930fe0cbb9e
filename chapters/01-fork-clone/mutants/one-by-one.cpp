// MUTANT run_jobs
// FAIL 1a
// BLOCKED 1c
// Starts the next one only when the last has ended.
int run_jobs(char* const* const* argvs, int count, int max, int* statuses) {
  (void)max;
  for (int job = 0; job < count; ++job) {
    const pid_t pid = fork();
    if (pid < 0) return -errno;
    if (pid == 0) {
      execv(argvs[job][0], argvs[job]);
      _exit(127);
    }
    int status = 0;
    if (waitpid(pid, &status, 0) < 0) return -errno;
    statuses[job] = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  }
  return 0;
}
