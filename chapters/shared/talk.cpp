#include "shared/talk.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>

#include <array>

#include <drydock/kernel/error.hpp>
#include <drydock/kernel/raw.hpp>
#include <drydock/kernel/sys.hpp>
#include <drydock/process/wait.hpp>

#include "shared/patience.hpp"

namespace drydock::chapter {

bool Talk::read_more() {
  if (!input_) return false;
  if (!process::wait_readable(input_.get(), patience_ms()))
    throw Error::refused("experiment", "a process of it said nothing for ten seconds",
                         "run it again; if it stays silent, this is a defect of the chapter");
  std::array<char, 4096> buffer;
  const std::size_t size = sys::read(input_, buffer.data(), buffer.size());
  pending_.append(buffer.data(), size);
  return size > 0;
}

std::string Talk::line() {
  for (;;) {
    if (const std::size_t end = pending_.find('\n'); end != std::string::npos) {
      const std::string first = pending_.substr(0, end);
      pending_.erase(0, end + 1);
      return first;
    }
    if (!read_more()) return std::exchange(pending_, {});
  }
}

std::string Talk::rest() {
  while (read_more()) {
  }
  return std::exchange(pending_, {});
}

void Talk::say(const std::string& text) {
  const std::string line = text + "\n";
  raw::call(SYS_write, output_.get(), line.data(), line.size());  // SIGPIPE is ignored: main.cpp, child.cpp
}

std::pair<Fd, Fd> pipe_pair() {
  int ends[2];
  const long result = raw::call(SYS_pipe2, ends, O_CLOEXEC);
  if (raw::failed(result)) throw Error::from_errno("pipe2", "O_CLOEXEC", raw::error_of(result));
  return {Fd(ends[0]), Fd(ends[1])};
}

namespace {

Fd parent_end(const Fd& end) {
  const long copy = raw::call(SYS_fcntl, end.get(), F_DUPFD_CLOEXEC, first_parent_end);
  if (raw::failed(copy)) throw Error::from_errno("fcntl", "F_DUPFD_CLOEXEC", raw::error_of(copy));
  return Fd(static_cast<int>(copy));
}

}  // namespace

std::pair<Talk, Talk> talk_pair() {
  auto [ours_in, theirs_out] = pipe_pair();
  auto [theirs_in, ours_out] = pipe_pair();
  return {Talk(parent_end(ours_in), parent_end(ours_out)), Talk(std::move(theirs_in), std::move(theirs_out))};
}

}  // namespace drydock::chapter
