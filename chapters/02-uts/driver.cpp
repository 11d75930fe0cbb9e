// Calls the functions of the exercise: enter HOST DOMAIN PROGRAM..., join PID PROGRAM..., pin PATH.
#include "driver.hpp"
#include "exercise.hpp"

using namespace driver;

int main(int argc, char** argv) {
  if (argc > 4 && is(argv, "enter")) {
    if (say("enter_uts", enter_uts(argv[2], argv[3])) != 0) return failed;
    execute(argv + 4);
  }
  if (argc > 3 && is(argv, "join")) {
    if (say("join_uts", join_uts(atoi(argv[2]))) != 0) return failed;
    execute(argv + 3);
  }
  if (argc == 3 && is(argv, "pin")) return say("pin_uts", pin_uts(argv[2])) != 0 ? failed : 0;
  return wrong_words;
}
