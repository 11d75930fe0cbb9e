// MUTANT minimal_dev
// FAIL 3a
// mknod(2) wants a capability of the first user namespace.
int minimal_dev(const char* dir) {
  char node[512];
  if (mount("dev", dir, "tmpfs", MS_NOSUID, "mode=755") != 0) return -errno;
  snprintf(node, sizeof node, "%s/null", dir);
  return mknod(node, S_IFCHR | 0666, 0x103) != 0 ? -errno : 0;
}
