// What the drivers of all exercises need: words in, the student's function called, its answer said, the next program executed.
//
// A driver's main is compiled together with the student's functions and runs in the box. Nothing that it prints decides anything:
// the grader looks at the kernel, and values on standard output are compared outside.
//
// Example: if (is(argv, "enter")) return say("enter_uts", enter_uts(argv[2], argv[3])) < 0 ? failed : execute(argv + 4);
// Source: docs/writing-exercises.md.
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

namespace driver {

inline constexpr int failed = 1, wrong_words = 2, cannot_execute = 126;

inline bool is(char** argv, const char* verb) {
  return argv[1] != nullptr && strcmp(argv[1], verb) == 0;
}

// "enter_uts returned -1 (EPERM)" on standard error; the number.
inline long say(const char* function, long result) {
  const char* name = result < 0 && result > -4096 ? strerrorname_np(static_cast<int>(-result)) : nullptr;
  if (result < 0) fprintf(stderr, "%s returned %ld (%s)\n", function, result, name == nullptr ? "no errno" : name);
  return result;
}

// A copy of standard output for values. What a student prints goes to standard error from here on, and spoils nothing.
inline int take_output() {
  const int values = fcntl(1, F_DUPFD_CLOEXEC, 10);
  dup2(2, 1);
  return values;
}

[[noreturn]] inline void execute(char** words) {
  if (words[0] == nullptr) _exit(wrong_words);
  execv(words[0], words);
  fprintf(stderr, "%s: %s\n", words[0], strerrorname_np(errno));
  _exit(cannot_execute);
}

}  // namespace driver
