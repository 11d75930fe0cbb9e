// EXPECT FAIL
// WITHIN 60
// SAYS does not compile
#include "exercise.hpp"

#include "/dev/zero"

int enter_uts(const char*, const char*) {
  return 0;
}
