// MUTANT enter_uts
// FAIL 1b
// BLOCKED 1c
// Half of the work.
int enter_uts(const char* host, const char* domain) {
  (void)domain;
  if (unshare(CLONE_NEWUTS) != 0) return -errno;
  return sethostname(host, strlen(host)) != 0 ? -errno : 0;
}
