// A person at a terminal: `drydock` on the slave of a pseudo-terminal, the test on its master.
//
// Example:
//   Console console(host, {"run", "--rm", "-it", "busybox", "sh"});
//   REQUIRE(console.expect("# "));
//   console.type("exit 3\n");
//   CHECK(console.wait() == 3);
//   CHECK(console.sane());
// Source: pty(7); TIOCSCTTY and TIOCSWINSZ in ioctl_tty(2).
#pragma once

#include <signal.h>
#include <termios.h>

#include <string>
#include <string_view>

#include "container/host.hpp"
#include "support/pty.hpp"

namespace drydock::test {

class Console {
 public:
  Console(const Host& host, const Words& words, unsigned short rows = 24, unsigned short columns = 80);
  ~Console();
  Console(const Console&) = delete;

  void type(std::string_view keys) const { pty_->type(keys); }
  // True when `text` appears behind what was expected before; what came until then is in screen().
  bool expect(std::string_view text, int timeout_ms = 10'000);
  // The prompt of busybox's shell: it is raw from now on and echoes by itself.
  bool prompt() { return expect("# "); }
  void resize(unsigned short rows, unsigned short columns) const;
  void signal(int number) const { ::kill(pid_, number); }
  // The terminal goes away, as when its window is closed.
  void hang_up() { pty_.reset(); }
  // The exit status as a shell shows it; -1 when it did not end in time (and was killed).
  int wait(int timeout_ms = 15'000);
  // The settings are those of before the start.
  bool sane() const;
  bool is_raw() const { return pty_->is_raw(); }
  // All that was shown so far.
  const std::string& screen() const { return screen_; }
  pid_t pid() const { return pid_; }

 private:
  bool read_some(int timeout_ms);

  std::optional<Pty> pty_;
  struct termios before_;
  pid_t pid_ = -1;
  std::string screen_;
  std::size_t seen_ = 0;
};

}  // namespace drydock::test
