#include <drydock/process/terminal.hpp>

// The kernel's own struct termios; <termios.h> would declare another one of that name.
#include <asm/termbits.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstring>

#include <drydock/kernel/fd.hpp>
#include <drydock/kernel/raw.hpp>

namespace drydock::process {

namespace {

long terminal_call(int fd, unsigned long request, void* argument) {
  long result;
  do result = raw::call(SYS_ioctl, fd, request, argument);
  while (raw::error_of(result) == EINTR);
  return result;
}

// cfmakeraw(3): no signals, no line editing, no translation either way, eight bits.
void make_raw(struct termios& settings) {
  settings.c_iflag &= ~static_cast<tcflag_t>(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
  settings.c_oflag &= ~static_cast<tcflag_t>(OPOST);
  settings.c_lflag &= ~static_cast<tcflag_t>(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
  settings.c_cflag &= ~static_cast<tcflag_t>(CSIZE | PARENB);
  settings.c_cflag |= CS8;
  settings.c_cc[VMIN] = 1;
  settings.c_cc[VTIME] = 0;
}

class WithoutStopping {
 public:
  WithoutStopping() {
    sigset_t set;
    ::sigemptyset(&set);
    ::sigaddset(&set, SIGTTOU);
    ::pthread_sigmask(SIG_BLOCK, &set, &before_);
  }
  ~WithoutStopping() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  WithoutStopping(const WithoutStopping&) = delete;
  WithoutStopping& operator=(const WithoutStopping&) = delete;

 private:
  sigset_t before_;
};

}  // namespace

bool is_terminal(int fd) {
  struct termios settings = {};
  return !raw::failed(terminal_call(fd, TCGETS, &settings));
}

RawMode::RawMode(int fd) : fd_(fd) {
  static_assert(sizeof(struct termios) <= sizeof saved_);
  is_terminal_ = !raw::failed(terminal_call(fd_, TCGETS, saved_.data()));
  again();
}

void RawMode::again() noexcept {
  if (!is_terminal_) return;
  struct termios settings = {};
  std::memcpy(&settings, saved_.data(), sizeof settings);
  make_raw(settings);
  active_ = !raw::failed(terminal_call(fd_, TCSETSW, &settings));
}

void RawMode::restore() noexcept {
  if (!active_) return;
  active_ = false;
  const WithoutStopping guard;
  terminal_call(fd_, TCSETSW, saved_.data());
}

// tty(4): ENXIO without a controlling terminal, which is what a hang-up leaves.
bool OwnTerminal::is_there() {
  const long fd = raw::call(SYS_openat, AT_FDCWD, "/dev/tty", O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  return static_cast<bool>(Fd(raw::failed(fd) ? -1 : static_cast<int>(fd)));
}

std::optional<WindowSize> window_size(int fd) {
  struct winsize size = {};
  if (raw::failed(terminal_call(fd, TIOCGWINSZ, &size))) return std::nullopt;
  return WindowSize{size.ws_row, size.ws_col};
}

bool set_window_size(int fd, WindowSize size) {
  struct winsize wanted = {};
  wanted.ws_row = size.rows;
  wanted.ws_col = size.columns;
  return !raw::failed(terminal_call(fd, TIOCSWINSZ, &wanted));
}

}  // namespace drydock::process
