// MUTANT minimal_dev
// FAIL 3a
// All of the host's devices, not three.
int minimal_dev(const char* dir) {
  return mount("/dev", dir, nullptr, MS_BIND | MS_REC, nullptr) != 0 ? -errno : 0;
}
