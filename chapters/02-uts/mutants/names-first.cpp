// MUTANT enter_uts
// FAIL 1c
// The new namespace begins as a copy: the names are right inside, and wrong outside.
int enter_uts(const char* host, const char* domain) {
  if (sethostname(host, strlen(host)) != 0) return -errno;
  if (setdomainname(domain, strlen(domain)) != 0) return -errno;
  return unshare(CLONE_NEWUTS) != 0 ? -errno : 0;
}
