// EXPECT FAIL
// WITHIN 20
// SAYS does not compile
#include "exercise.hpp"

#include "/etc/shadow"
#include "/run/canary"

int enter_uts(const char*, const char*) {
  return 0;
}
