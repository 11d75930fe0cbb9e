// A pseudo-terminal for tests: the master plays the person, the slave is the terminal of the program under test.
//
// Example: test::Pty pty; RawMode raw(pty.slave.get()); pty.type("\x03");
// Source: pty(7), posix_openpt(3).
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include <stdexcept>
#include <string>
#include <string_view>

#include <drydock/kernel/fd.hpp>

namespace drydock::test {

struct Pty {
  Fd master, slave;

  Pty() : master(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)) {
    if (!master || ::grantpt(master.get()) != 0 || ::unlockpt(master.get()) != 0) throw std::runtime_error("no pseudo-terminal");
    char name[64];
    if (::ptsname_r(master.get(), name, sizeof name) != 0) throw std::runtime_error("no name of the pseudo-terminal");
    slave = Fd(::open(name, O_RDWR | O_NOCTTY | O_CLOEXEC));
    if (!slave) throw std::runtime_error("the pseudo-terminal cannot be opened");
  }

  struct termios settings() const {
    struct termios now = {};
    ::tcgetattr(slave.get(), &now);
    return now;
  }
  bool is_raw() const { return (settings().c_lflag & static_cast<tcflag_t>(ICANON | ECHO | ISIG)) == 0; }
  void type(std::string_view keys) const { [[maybe_unused]] const auto count = ::write(master.get(), keys.data(), keys.size()); }
};

// A control socket: two ends that keep the borders of packets.
struct Sockets {
  Fd ours, theirs;
  Sockets() {
    int pair[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) throw std::runtime_error("no socket pair");
    ours = Fd(pair[0]);
    theirs = Fd(pair[1]);
  }
};

// What arrives on `fd` until `wanted` is in it, the end, or `timeout_ms` without anything new.
inline std::string read_until(const Fd& fd, std::string_view wanted, int timeout_ms = 3000) {
  std::string text;
  while (wanted.empty() || text.find(wanted) == std::string::npos) {
    pollfd entry{fd.get(), POLLIN, 0};
    if (::poll(&entry, 1, timeout_ms) <= 0) break;
    char buffer[4096];
    const ssize_t count = ::read(fd.get(), buffer, sizeof buffer);
    if (count <= 0) break;
    text.append(buffer, static_cast<std::size_t>(count));
  }
  return text;
}

}  // namespace drydock::test
