// MUTANT enter_root
// FAIL 2b
// The old root lies in a directory of the new one.
int enter_root(const char* dir) {
  if (mount(dir, dir, nullptr, MS_BIND | MS_REC, nullptr) != 0) return -errno;
  if (chdir(dir) != 0) return -errno;
  if (mkdir("old", 0700) != 0) return -errno;
  if (syscall(SYS_pivot_root, ".", "old") != 0) return -errno;
  return chdir("/") != 0 ? -errno : 0;
}
