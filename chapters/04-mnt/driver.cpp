// Calls the functions of the exercise.
//   private PATH PROGRAM...   make_private, then a file system on the new directory PATH
//   enter DIR PROGRAM...      enter_root; the program's path is one of the new root
//   dev DIR PROGRAM...        minimal_dev on the new directory DIR
#include <sys/mount.h>
#include <sys/stat.h>

#include "driver.hpp"
#include "exercise.hpp"

using namespace driver;

int main(int argc, char** argv) {
  if (argc < 4) return wrong_words;
  if (is(argv, "private")) {
    if (say("make_private", make_private()) != 0) return failed;
    if (mkdir(argv[2], 0755) != 0 || mount("inner", argv[2], "tmpfs", 0, nullptr) != 0) return failed;
    execute(argv + 3);
  }
  if (is(argv, "enter")) {
    if (say("enter_root", enter_root(argv[2])) != 0) return failed;
    execute(argv + 3);
  }
  if (is(argv, "dev")) {
    if (mkdir(argv[2], 0755) != 0) return failed;
    if (say("minimal_dev", minimal_dev(argv[2])) != 0) return failed;
    execute(argv + 3);
  }
  return wrong_words;
}
