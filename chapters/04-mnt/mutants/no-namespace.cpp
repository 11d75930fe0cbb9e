// MUTANT make_private
// FAIL 1a
// Changes everybody's mounts instead of its own.
int make_private() {
  return mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ? -errno : 0;
}
