// How a process ended: the kernel's wait status decoded once, in numbers and in words.
//
// Example: ExitStatus status = ExitStatus::from_wait(raw);   // status.code() == 137
//          status.words() == "killed by SIGKILL"
// Source: wait(2), waitid(2); 128+n is the convention of the shell (POSIX, "Exit Status for Commands") that Docker follows.
#pragma once

#include <signal.h>

#include <string>

namespace drydock::process {

// Exit codes of a runtime that are not the program's own: docker-run(1), "Exit Status".
inline constexpr int exit_runtime_failed = 125;
inline constexpr int exit_not_executable = 126;
inline constexpr int exit_not_found = 127;

struct ExitStatus {
  bool signalled = false;
  int value = 0;  // the exit code (0..255), or the number of the signal
  bool core_dumped = false;

  // From the status word of waitpid(2). Stopped and continued are not ends: Error.
  static ExitStatus from_wait(int status);
  // From waitid(2): si_code says what si_status means. Error for anything but CLD_EXITED, CLD_KILLED, CLD_DUMPED.
  static ExitStatus from_siginfo(const siginfo_t& info);

  // 0..255: the exit code, or 128+n when signal n ended it.
  int code() const;
  // "exited with 3", "killed by SIGKILL", "killed by SIGSEGV (core dumped)".
  std::string words() const;
  bool operator==(const ExitStatus&) const = default;
};

// What an exit code alone suggests: "exited with 3"; "exited with 137 (128+9: SIGKILL)". A program may also return such a
// number by itself, so it stays a suggestion.
std::string describe_code(int code);

}  // namespace drydock::process
