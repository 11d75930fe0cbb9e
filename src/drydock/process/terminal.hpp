// The user's own terminal: raw mode that always ends, and the window size.
//
// RawMode changes the terminal and its destructor restores it. That is enough for every path because no signal handler and no
// default action of a signal can end the program in between: open a SignalFd (signals.hpp) first, so that SIGTERM, SIGHUP,
// SIGINT, SIGQUIT and SIGPIPE are events of the loop and the stack unwinds. Only SIGKILL leaves a raw terminal (`stty sane`).
//
// Example: SignalFd signals(forwardable_signals());  // first: destroyed last
//          RawMode raw(0);
//          pump(...);
// Source: termios(3) (cfmakeraw), ioctl_tty(2) (TCGETS, TCSETSW, TIOCGWINSZ, TIOCSWINSZ).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace drydock::process {

bool is_terminal(int fd);

class RawMode {
 public:
  // Saves the settings of `fd` (borrowed: it must stay open) and enters raw mode. When `fd` is no terminal nothing happens.
  explicit RawMode(int fd);
  ~RawMode() { restore(); }
  RawMode(const RawMode&) = delete;
  RawMode& operator=(const RawMode&) = delete;

  // True between entering and restore().
  bool active() const { return active_; }
  // Restores now; idempotent. Also works from a background process group: SIGTTOU is blocked meanwhile, which the kernel
  // takes as permission (ioctl_tty(2)); otherwise the program would stop in its own clean-up.
  void restore() noexcept;
  // Enters raw mode again after the shell had the terminal (SIGCONT).
  void again() noexcept;

 private:
  int fd_;
  bool active_ = false;
  bool is_terminal_ = false;
  alignas(8) std::array<std::byte, 64> saved_{};  // the kernel's struct termios, 36 bytes
};

// The terminal that this process was started on, whatever its descriptors lead to.
class OwnTerminal {
 public:
  OwnTerminal() : was_there_(is_there()) {}
  // True once its window was closed or its connection cut. SIGHUP alone does not say so: kill(1) can send it too.
  bool gone() const { return was_there_ && !is_there(); }

 private:
  static bool is_there();
  bool was_there_;
};

struct WindowSize {
  std::uint16_t rows = 0, columns = 0;
  bool operator==(const WindowSize&) const = default;
};

// Empty when `fd` is no terminal.
std::optional<WindowSize> window_size(int fd);
// On either end of a pty; the kernel sends SIGWINCH to its foreground process group when the size changes. False: no terminal.
bool set_window_size(int fd, WindowSize size);

}  // namespace drydock::process
