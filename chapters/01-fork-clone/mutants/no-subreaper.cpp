// MUTANT reap_all
// FAIL 2a
// BLOCKED 2b
// Waits for its own children only; their orphans fall to process 1.
int reap_all() {
  int reaped = 0;
  while (waitpid(-1, nullptr, 0) > 0) ++reaped;
  return errno == ECHILD ? reaped : -errno;
}
