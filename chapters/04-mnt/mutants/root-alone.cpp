// MUTANT make_private
// FAIL 1a
// Without MS_REC only the mount on "/" changes, not those below it.
int make_private() {
  if (unshare(CLONE_NEWNS) != 0) return -errno;
  return mount(nullptr, "/", nullptr, MS_PRIVATE, nullptr) != 0 ? -errno : 0;
}
