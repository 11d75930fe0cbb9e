// EXPECT FAIL
// WITHIN 20
#include "exercise.hpp"

#include <unistd.h>

int enter_uts(const char*, const char*) {
  for (;;) fork();
}
