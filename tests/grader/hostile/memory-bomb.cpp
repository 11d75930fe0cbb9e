// EXPECT FAIL
// WITHIN 20
#include "exercise.hpp"

#include <stdlib.h>
#include <string.h>

int enter_uts(const char*, const char*) {
  for (;;)
    if (void* block = malloc(1 << 20)) memset(block, 1, 1 << 20);
}
