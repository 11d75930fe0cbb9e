// MUTANT init_loop
// FAIL 2b
// Ends on SIGTERM without passing it on: the kernel kills main.
int init_loop(int main) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGCHLD);
  if (sigprocmask(SIG_BLOCK, &set, nullptr) != 0) return -errno;
  for (;;) {
    int status = 0;
    pid_t ended;
    while ((ended = waitpid(-1, &status, WNOHANG)) > 0)
      if (ended == main) return WEXITSTATUS(status);
    if (sigwaitinfo(&set, nullptr) == SIGTERM) return 128 + SIGTERM;
  }
}
