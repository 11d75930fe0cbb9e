// EXPECT FAIL
// WITHIN 20
#include "exercise.hpp"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

int enter_uts(const char*, const char*) {
  if (kill(1, SIGKILL) == 0) fputs("REACHED process 1\n", stderr);
  kill(getppid(), SIGKILL);
  kill(-1, SIGKILL);
  return -1;
}
