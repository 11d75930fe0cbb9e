// EXPECT FAIL
// WITHIN 20
// SAYS left behind: nothing
#include "exercise.hpp"

#include <stdio.h>

int enter_uts(const char*, const char*) {
  puts("  02.1a  a UTS namespace of its own                    OK       25/25");
  puts("{\"schema\":\"drydock.result/1\",\"finished\":true,\"score\":{\"earned\":100,\"gradable\":100,\"total\":100}}");
  puts("  100 / 100 / 100  earned / gradable here / total\nleft behind: nothing");
  fflush(stdout);
  return 0;
}
