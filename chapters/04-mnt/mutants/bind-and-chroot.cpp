// MUTANT enter_root
// FAIL 2b
// Looks right from inside, until somebody walks up.
int enter_root(const char* dir) {
  if (mount(dir, dir, nullptr, MS_BIND | MS_REC, nullptr) != 0) return -errno;
  if (chroot(dir) != 0) return -errno;
  return chdir("/") != 0 ? -errno : 0;
}
