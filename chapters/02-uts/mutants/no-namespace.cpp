// MUTANT enter_uts
// FAIL 1a
// BLOCKED 1b 1c
// The names are set where everybody sees them.
int enter_uts(const char* host, const char* domain) {
  if (sethostname(host, strlen(host)) != 0) return -errno;
  if (setdomainname(domain, strlen(domain)) != 0) return -errno;
  return 0;
}
