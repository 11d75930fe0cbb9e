// MUTANT pin_uts
// FAIL 3a
// A link is a name, not a reference: it dangles when the process has ended.
int pin_uts(const char* path) {
  return symlink("/proc/self/ns/uts", path) != 0 ? -errno : 0;
}
