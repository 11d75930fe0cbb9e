// fork() for tests: a refusal is an exception. To kill(2) a pid of -1 means everybody, and a machine full of tests does refuse forks.
//
// Example: const pid_t child = forked(); if (child == 0) ::_exit(body());
// Source: fork(2), kill(2).
#pragma once

#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace drydock::test {

inline pid_t forked() {
  const pid_t pid = ::fork();
  if (pid < 0) throw std::system_error(errno, std::generic_category(), "fork");
  return pid;
}

}  // namespace drydock::test
