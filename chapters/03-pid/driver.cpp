// Calls the functions of the exercise.
//   spawn PROGRAM...   spawn_init, then waits for it
//   init PROGRAM...    starts the program as a child, then init_loop; its result is the exit status
#include <sys/wait.h>

#include "driver.hpp"
#include "exercise.hpp"

using namespace driver;

int main(int argc, char** argv) {
  if (argc > 2 && is(argv, "spawn")) {
    const long pid = say("spawn_init", spawn_init(argv + 2));
    if (pid <= 0) return failed;
    int status = 0;
    waitpid(static_cast<pid_t>(pid), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : failed;
  }
  if (argc > 2 && is(argv, "init")) {
    const pid_t child = fork();
    if (child == 0) execute(argv + 2);
    const long result = say("init_loop", init_loop(child));
    return result < 0 ? failed : static_cast<int>(result);
  }
  return wrong_words;
}
