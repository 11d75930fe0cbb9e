// EXPECT FAIL
// WITHIN 20
// SAYS the program ran on
#include "exercise.hpp"

#include <signal.h>
#include <unistd.h>

int enter_uts(const char*, const char*) {
  for (int number = 1; number < 64; ++number) signal(number, SIG_IGN);
  for (;;) pause();
}
