// EXPECT FAIL
// WITHIN 60
// SAYS does not compile
#include "exercise.hpp"

int giant[1 << 29] = {1};

int enter_uts(const char*, const char*) {
  return giant[7];
}
