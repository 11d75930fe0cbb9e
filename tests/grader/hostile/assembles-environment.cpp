// EXPECT FAIL
// WITHIN 20
#include "exercise.hpp"

#include <stdio.h>

asm(".section .rodata\nsecret: .incbin \"/proc/self/environ\"\n.byte 0\n.text\n");
extern const char secret[] asm("secret");

int enter_uts(const char*, const char*) {
  fprintf(stderr, "%s\n", secret);
  return -1;
}
