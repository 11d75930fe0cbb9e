// MUTANT reap_all
// FAIL 2b
// Counts how often it had to wait after the first time.
int reap_all() {
  if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0) return -errno;
  int reaped = -1;
  while (waitpid(-1, nullptr, 0) > 0) ++reaped;
  return errno == ECHILD ? reaped : -errno;
}
