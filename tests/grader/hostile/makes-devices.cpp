// EXPECT FAIL
// WITHIN 20
#include "exercise.hpp"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

static void overwrite(const char* path) {
  const int fd = open(path, O_WRONLY);
  if (fd < 0) return;
  char text[256] = {};
  const int old = open(path, O_RDONLY);
  const ssize_t size = read(old, text, sizeof text);  // what stands there is written again: it would be allowed, and change nothing
  if (size > 0 && write(fd, text, static_cast<size_t>(size)) > 0) fprintf(stderr, "REACHED %s\n", path);
}

int enter_uts(const char*, const char*) {
  if (mknod("/tmp/disk", S_IFBLK | 0600, makedev(254, 0)) == 0) fputs("REACHED mknod\n", stderr);
  if (mknod("/tmp/mem", S_IFCHR | 0600, makedev(1, 1)) == 0) fputs("REACHED mknod\n", stderr);
  for (const char* path : {"/proc/sys/kernel/core_pattern", "/proc/sys/vm/overcommit_memory", "/proc/sys/kernel/randomize_va_space", "/proc/sys/kernel/modprobe"}) overwrite(path);
  if (open("/proc/sysrq-trigger", O_WRONLY) >= 0) fputs("REACHED sysrq\n", stderr);
  if (mount("/dev/vda", "/tmp", "ext4", 0, nullptr) == 0) fputs("REACHED a disk\n", stderr);
  if (mount(nullptr, "/lab", nullptr, MS_REMOUNT | MS_BIND, nullptr) == 0 || umount2("/lab", MNT_DETACH) == 0) fputs("REACHED /lab\n", stderr);
  if (open("/lab/probe", O_WRONLY) >= 0) fputs("REACHED the probe\n", stderr);
  const timespec now{1, 0};
  if (clock_settime(CLOCK_REALTIME, &now) == 0) fputs("REACHED the clock\n", stderr);
  return -1;
}
