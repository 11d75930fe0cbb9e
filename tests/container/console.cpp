#include "container/console.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <array>
#include <chrono>
#include <cstring>

#include <drydock/kernel/sys.hpp>

#include "support/forked.hpp"
#include "support/patience.hpp"

namespace drydock::test {

namespace {

using Clock = std::chrono::steady_clock;

int left(Clock::time_point end) {
  return static_cast<int>(std::max<long>(0, std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()).count()));
}

}  // namespace

Console::Console(const Host& host, const Words& words, unsigned short rows, unsigned short columns) : pty_(std::in_place), before_(pty_->settings()) {
  resize(rows, columns);
  Words argv{drydock_program()}, environment = host.environment();
  argv.insert(argv.end(), words.begin(), words.end());
  std::vector<char*> arguments, values;
  for (std::string& word : argv) arguments.push_back(word.data());
  for (std::string& word : environment) values.push_back(word.data());
  arguments.push_back(nullptr);
  values.push_back(nullptr);
  pid_ = forked();
  if (pid_ != 0) return;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::setsid();
  ::ioctl(pty_->slave.get(), TIOCSCTTY, 0);
  for (int number = 0; number < 3; ++number) ::dup2(pty_->slave.get(), number);
  ::execve(argv[0].c_str(), arguments.data(), values.data());
  ::_exit(98);
}

Console::~Console() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

bool Console::read_some(int timeout_ms) {
  pollfd event{pty_->master.get(), POLLIN, 0};
  if (::poll(&event, 1, timeout_ms) <= 0) return false;
  std::array<char, 4096> buffer;
  const ssize_t size = ::read(pty_->master.get(), buffer.data(), buffer.size());
  if (size > 0) screen_.append(buffer.data(), static_cast<std::size_t>(size));
  return size > 0;
}

bool Console::expect(std::string_view text, int timeout_ms) {
  const auto end = Clock::now() + std::chrono::milliseconds(patient(timeout_ms));
  for (;;) {
    if (const std::size_t found = screen_.find(text, seen_); found != std::string::npos) {
      seen_ = found + text.size();
      return true;
    }
    if (Clock::now() >= end || !read_some(left(end))) return false;
  }
}

void Console::resize(unsigned short rows, unsigned short columns) const {
  winsize size{};
  size.ws_row = rows;
  size.ws_col = columns;
  ::ioctl(pty_->master.get(), TIOCSWINSZ, &size);
}

int Console::wait(int timeout_ms) {
  const auto end = Clock::now() + std::chrono::milliseconds(patient(timeout_ms));
  const Fd process = sys::pidfd_open(pid_);
  bool ended = false;
  while (!ended && Clock::now() < end) {
    // Its output must be read meanwhile, or it waits for us.
    if (pty_) while (read_some(0)) {}
    pollfd event{process.get(), POLLIN, 0};
    ended = ::poll(&event, 1, 5) == 1;
  }
  if (!ended) ::kill(pid_, SIGKILL);
  int status = 0;
  ::waitpid(pid_, &status, 0);
  pid_ = -1;
  if (pty_) while (read_some(0)) {}
  if (!ended) return -1;
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

bool Console::sane() const {
  const struct termios now = pty_->settings();
  return now.c_iflag == before_.c_iflag && now.c_oflag == before_.c_oflag && now.c_cflag == before_.c_cflag && now.c_lflag == before_.c_lflag &&
         std::memcmp(now.c_cc, before_.c_cc, sizeof now.c_cc) == 0;
}

}  // namespace drydock::test
