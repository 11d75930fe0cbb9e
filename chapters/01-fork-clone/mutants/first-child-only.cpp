// MUTANT reap_all
// FAIL 2b
// Returns when the first child has ended, and leaves the orphan behind.
int reap_all() {
  if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0) return -errno;
  return waitpid(-1, nullptr, 0) > 0 ? 1 : -errno;
}
