// EXPECT FAIL
// WITHIN 20
// SAYS the program ended: exited with 0
#include "exercise.hpp"

#include <unistd.h>

__attribute__((constructor)) static void first() {
  (void)!write(1, "[  PASSED  ] all tests\n", 23);
  _exit(0);
}

int enter_uts(const char*, const char*) {
  return 0;
}
