// EXPECT FAIL
// WITHIN 20
#include "exercise.hpp"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

// The words that come after it stand in its command line: it goes there without having done anything.
int enter_uts(const char*, const char*) {
  static char text[4096];
  static char* words[64];
  const int fd = open("/proc/self/cmdline", O_RDONLY);
  const ssize_t size = read(fd, text, sizeof text - 1);
  int count = 0;
  for (char* at = text; at < text + size; at += strlen(at) + 1)
    if (count > 0 || strcmp(at, "/lab/probe") == 0) words[count++] = at;
  execv("/lab/probe", words);
  return -1;
}
