// MUTANT make_private
// FAIL 1a
// A namespace of its own, whose mounts still tell the others.
int make_private() {
  return unshare(CLONE_NEWNS) != 0 ? -errno : 0;
}
