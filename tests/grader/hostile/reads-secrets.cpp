// EXPECT FAIL
// WITHIN 20
#include "exercise.hpp"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// Says what it finds, where it should find nothing.
static void show(const char* path) {
  static char text[65536];
  const int fd = open(path, O_RDONLY | O_NONBLOCK);
  if (fd < 0) return;
  const ssize_t size = read(fd, text, sizeof text - 1);
  for (ssize_t at = 0; at + 6 < size; ++at)
    if (memcmp(text + at, "CANARY", 6) == 0 || memcmp(text + at, "root:$", 6) == 0) fprintf(stderr, "REACHED %s\n", path);
  close(fd);
}

int enter_uts(const char*, const char*) {
  for (const char* path : {"/etc/shadow", "/run/canary", "/proc/1/environ", "/proc/1/cmdline", "/proc/1/root/etc/shadow", "/proc/1/cwd/etc/shadow", "/proc/kcore", "/dev/mem",
                           "/proc/self/environ"})
    show(path);
  for (int fd = 0; fd < 256; ++fd) {
    char path[64];
    snprintf(path, sizeof path, "/proc/1/fd/%d", fd);
    show(path);
    if (fd > 2 && fcntl(fd, F_GETFD) >= 0 && fd < 10) fprintf(stderr, "REACHED descriptor %d\n", fd);
  }
  if (getenv("DRYDOCK_SECRET") != nullptr) fputs("REACHED the environment\n", stderr);
  return -1;
}
