// MUTANT pin_uts
// FAIL 3a
// Keeps the namespace of the process that started this one.
int pin_uts(const char* path) {
  const int fd = open(path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
  if (fd < 0) return -errno;
  close(fd);
  char source[64];
  snprintf(source, sizeof source, "/proc/%d/ns/uts", getppid());
  return mount(source, path, nullptr, MS_BIND, nullptr) != 0 ? -errno : 0;
}
