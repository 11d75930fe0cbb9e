// EXPECT FAIL
// WITHIN 20
#include "exercise.hpp"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

int enter_uts(const char*, const char*) {
  for (int copy = 0; copy < 8; ++copy)
    if (fork() == 0) {
      setsid();
      if (fork() != 0) _exit(0);
      for (int number = 1; number < 64; ++number) signal(number, SIG_IGN);
      for (;;) sleep(1000);
    }
  exit(0);
}
