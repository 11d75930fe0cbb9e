// MUTANT join_uts
// FAIL 2a
// Opens its own namespace instead of the other's: setns succeeds and changes nothing.
int join_uts(int pid) {
  (void)pid;
  const int fd = open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -errno;
  const int result = setns(fd, CLONE_NEWUTS) != 0 ? -errno : 0;
  close(fd);
  return result;
}
