// EXPECT FAIL
// WITHIN 20
#include "exercise.hpp"

#if __has_include("/etc/shadow") || __has_include("/run/canary") || __has_include("/proc/1/environ_of_the_host")
#error REACHED
#endif

int enter_uts(const char*, const char*) {
  return -1;
}
