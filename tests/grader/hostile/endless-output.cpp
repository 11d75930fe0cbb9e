// EXPECT FAIL
// WITHIN 20
// SAYS it wrote too much
#include "exercise.hpp"

#include <string.h>
#include <unistd.h>

int enter_uts(const char*, const char*) {
  static char block[65536];
  memset(block, '\033', sizeof block);
  for (;;) (void)!write(2, block, sizeof block);
}
