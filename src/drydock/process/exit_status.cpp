#include <drydock/process/exit_status.hpp>

#include <sys/wait.h>

#include <drydock/kernel/error.hpp>
#include <drydock/kernel/symbols.hpp>

namespace drydock::process {

ExitStatus ExitStatus::from_wait(int status) {
  if (WIFEXITED(status)) return {false, WEXITSTATUS(status), false};
  if (WIFSIGNALED(status)) return {true, WTERMSIG(status), static_cast<bool>(WCOREDUMP(status))};
  throw Error::refused("wait status " + std::to_string(status), "the process was stopped or continued, it has not ended",
                       "wait without WUNTRACED and WCONTINUED");
}

ExitStatus ExitStatus::from_siginfo(const siginfo_t& info) {
  switch (info.si_code) {
    case CLD_EXITED:
      return {false, info.si_status & 0xff, false};
    case CLD_KILLED:
      return {true, info.si_status, false};
    case CLD_DUMPED:
      return {true, info.si_status, true};
    default:
      throw Error::refused("siginfo with si_code " + std::to_string(info.si_code), "the process has not ended",
                           "wait with WEXITED only");
  }
}

int ExitStatus::code() const {
  return signalled ? 128 + value : value;
}

std::string ExitStatus::words() const {
  if (!signalled) return "exited with " + std::to_string(value);
  return "killed by " + symbols::signal(value) + (core_dumped ? " (core dumped)" : "");
}

std::string describe_code(int code) {
  std::string text = "exited with " + std::to_string(code);
  if (code > 128 && code - 128 < SIGRTMIN)
    text += " (128+" + std::to_string(code - 128) + ": " + symbols::signal(code - 128) + ")";
  return text;
}

}  // namespace drydock::process
