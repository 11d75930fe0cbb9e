// Mounts, a new root, three devices. What each function must do stands in exercise.hpp; `./lab check 04` looks whether it does.
#include "exercise.hpp"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

// EXERCISE 04.1 make_private
int make_private() {
  // BEGIN SOLUTION
  if (unshare(CLONE_NEWNS) != 0) return -errno;
  return mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ? -errno : 0;
  // STUB: return -ENOSYS;  // TODO(04.1): a copy of the list, then an end to telling each other
  // END SOLUTION
}

// EXERCISE 04.2 enter_root
int enter_root(const char* dir) {
  // BEGIN SOLUTION
  if (mount(dir, dir, nullptr, MS_BIND | MS_REC, nullptr) != 0) return -errno;
  if (chdir(dir) != 0) return -errno;
  if (syscall(SYS_pivot_root, ".", ".") != 0) return -errno;
  if (umount2(".", MNT_DETACH) != 0) return -errno;
  return chdir("/") != 0 ? -errno : 0;
  // STUB: (void)dir;
  // STUB: return -ENOSYS;  // TODO(04.2): a mount point, the exchange of the roots, and the old one away
  // END SOLUTION
}

// EXERCISE 04.3 minimal_dev
int minimal_dev(const char* dir) {
  // BEGIN SOLUTION
  if (mount("dev", dir, "tmpfs", MS_NOSUID, "mode=755") != 0) return -errno;
  static const char* const names[] = {"null", "zero", "urandom"};
  for (const char* name : names) {
    char node[512], host[64];
    snprintf(node, sizeof node, "%s/%s", dir, name);
    snprintf(host, sizeof host, "/dev/%s", name);
    const int fd = open(node, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0) return -errno;
    close(fd);
    if (mount(host, node, nullptr, MS_BIND, nullptr) != 0) return -errno;
  }
  return 0;
  // STUB: (void)dir;
  // STUB: return -ENOSYS;  // TODO(04.3): a tmpfs, and three nodes bound over three files
  // END SOLUTION
}
