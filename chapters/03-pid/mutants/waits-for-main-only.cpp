// MUTANT init_loop
// FAIL 2a 2b
// Nobody waits for orphans, and signals are for others.
int init_loop(int main) {
  int status = 0;
  if (waitpid(main, &status, 0) < 0) return -errno;
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
