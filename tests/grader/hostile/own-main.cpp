// EXPECT FAIL
// WITHIN 20
// SAYS does not compile
#include "exercise.hpp"

int main() {
  return 0;
}

int enter_uts(const char*, const char*) {
  return 0;
}
