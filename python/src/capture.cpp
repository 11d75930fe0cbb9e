#include "capture.hpp"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>

#include <algorithm>

#include <drydock/kernel/error.hpp>
#include <drydock/kernel/raw.hpp>
#include <drydock/kernel/sys.hpp>
#include <drydock/process/wait.hpp>

namespace drydock::python {

namespace {

void make_pipe(Fd& read, Fd& write) {
  int ends[2];
  const long result = raw::call(SYS_pipe2, ends, O_CLOEXEC);
  if (raw::failed(result)) throw Error::from_errno("pipe2", "O_CLOEXEC", raw::error_of(result));
  read = Fd(ends[0]);
  write = Fd(ends[1]);
}

}  // namespace

Capture::Capture(std::size_t limit) : limit_(limit) {
  for (Pipe& pipe : pipes_) make_pipe(pipe.read, pipe.write);
  make_pipe(stop_read_, stop_write_);
}

Capture::~Capture() {
  finish(0);
}

void Capture::begin() {
  for (Pipe& pipe : pipes_) pipe.write.reset();
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { read_all(); });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

// False at the end of the stream.
bool Capture::take(Pipe& pipe) {
  std::array<char, 65536> buffer;
  const long size = raw::call(SYS_read, pipe.read.get(), buffer.data(), buffer.size());
  if (size == -EINTR || size == -EAGAIN) return true;
  if (size <= 0) return false;
  const std::lock_guard lock(mutex_);
  const std::size_t kept = std::min(static_cast<std::size_t>(size), limit_ - std::min(limit_, pipe.text.size()));
  pipe.text.append(buffer.data(), kept);
  pipe.left_out += static_cast<std::size_t>(size) - kept;
  return true;
}

void Capture::read_all() {
  std::array<bool, 2> open{true, true};
  while (open[0] || open[1]) {
    std::array<pollfd, 3> events{};
    for (std::size_t at = 0; at < 2; ++at) events[at] = {open[at] ? pipes_[at].read.get() : -1, POLLIN, 0};
    events[2] = {stop_read_.get(), POLLIN, 0};
    if (raw::failed(raw::call(SYS_ppoll, events.data(), events.size(), nullptr, nullptr, 0))) continue;
    for (std::size_t at = 0; at < 2; ++at)
      if (events[at].revents != 0) open[at] = take(pipes_[at]);
    if (events[2].revents != 0 && events[0].revents == 0 && events[1].revents == 0) return;
  }
}

void Capture::finish(int patience_ms) {
  if (!thread_.joinable()) return;
  for (const Pipe& pipe : pipes_) {
    // POLLHUP of a pipe whose writers are gone counts as readable: the thread takes the rest and ends by itself.
    pollfd event{pipe.read.get(), 0, 0};
    const timespec limit{patience_ms / 1000, patience_ms % 1000 * 1'000'000L};
    raw::call(SYS_ppoll, &event, 1, &limit, nullptr, 0);
  }
  stop_write_.reset();
  thread_.join();
}

std::string Capture::text(int stream, std::size_t offset) const {
  const std::lock_guard lock(mutex_);
  const std::string& text = pipe_of(stream).text;
  return text.substr(std::min(offset, text.size()));
}

std::uint64_t Capture::left_out(int stream) const {
  const std::lock_guard lock(mutex_);
  return pipe_of(stream).left_out;
}

void Capture::abandon() {
  for (Pipe& pipe : pipes_) {
    pipe.read.reset();
    pipe.write.reset();
  }
  stop_read_.reset();
  stop_write_.reset();
}

}  // namespace drydock::python
