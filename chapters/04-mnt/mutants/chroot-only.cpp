// MUTANT enter_root
// FAIL 2b
// The root of names is new, the list of mounts is the old one.
int enter_root(const char* dir) {
  if (chroot(dir) != 0) return -errno;
  return chdir("/") != 0 ? -errno : 0;
}
