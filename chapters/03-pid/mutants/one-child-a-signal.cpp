// MUTANT init_loop
// FAIL 2a
// SIGCHLD does not queue: one of them may stand for fifty children.
int init_loop(int main) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGCHLD);
  if (sigprocmask(SIG_BLOCK, &set, nullptr) != 0) return -errno;
  for (;;) {
    if (sigwaitinfo(&set, nullptr) == SIGTERM) kill(main, SIGTERM);
    usleep(30000);
    int status = 0;
    if (waitpid(-1, &status, WNOHANG) == main) return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  }
}
