#include "experiments/commands.hpp"

#include <sys/syscall.h>
#include <unistd.h>

#include <drydock/kernel/raw.hpp>

namespace drydock::chapter::full_run {

Child shell(const std::string& command) {
  return Child(0, [command](Talk& chapter) {
    raw::call(SYS_dup3, chapter.input(), STDIN_FILENO, 0);
    raw::call(SYS_dup3, chapter.output(), STDOUT_FILENO, 0);
    raw::call(SYS_dup3, chapter.output(), STDERR_FILENO, 0);
    const std::string path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    std::string line = path + "; XDG_RUNTIME_DIR=/mnt; export PATH XDG_RUNTIME_DIR; " + command;
    return ::execl("/bin/sh", "sh", "-c", line.c_str(), nullptr);
  });
}

std::string said_by(const std::string& command) {
  Child child = shell(command);
  std::string text = child.talk().rest();
  child.wait();
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

}  // namespace drydock::chapter::full_run
