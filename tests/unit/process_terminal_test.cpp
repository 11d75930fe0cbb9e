#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstring>
#include <functional>
#include <thread>

#include <drydock/kernel/sys.hpp>
#include <drydock/process/pump.hpp>
#include <drydock/process/signals.hpp>
#include <drydock/process/terminal.hpp>
#include <drydock/process/wait.hpp>

#include "support/catch.hpp"
#include "support/forked.hpp"
#include "support/pty.hpp"

using namespace drydock;
using namespace drydock::process;
using test::Pty;
using test::Sockets;

namespace {

bool same(const struct termios& a, const struct termios& b) {
  return a.c_iflag == b.c_iflag && a.c_oflag == b.c_oflag && a.c_cflag == b.c_cflag && a.c_lflag == b.c_lflag &&
         std::memcmp(a.c_cc, b.c_cc, sizeof a.c_cc) == 0;
}

// A command line in miniature, in a process of its own: the user's terminal is `user`, the container's is `inner`. Signals that
// it forwards are sent over `sockets`; its exit code is 10 + the end of the pump.
pid_t command_line(const Pty& user, const Pty& inner, Sockets& sockets) {
  const pid_t pid = test::forked();
  if (pid != 0) return pid;
  sockets.theirs.reset();
  const Fd& control = sockets.ours;
  const SignalFd signals(forwardable_signals());
  int end = 0;
  {
    RawMode raw(user.slave.get());
    Pump job;
    job.input = job.output = user.slave.get();
    job.master = inner.master.get();
    job.control = control.get();
    job.signals = &signals;
    job.raw = &raw;
    job.on_signal = [&](int number) {
      [[maybe_unused]] const auto sent = ::send(control.get(), &number, sizeof number, MSG_DONTWAIT);
    };
    end = static_cast<int>(pump(job));
  }
  ::_exit(10 + end);
}

bool becomes(const std::function<bool()>& condition) {
  for (int tries = 0; tries < 300; ++tries) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

int end_of(pid_t pid) {
  const auto status = wait_child(sys::pidfd_open(pid), 5000);
  if (status) return status->code();
  ::kill(pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
  return -1;
}

int code(PumpEnd end) {
  return 10 + static_cast<int>(end);
}

}  // namespace

TEST_CASE("raw mode ends with its scope, also by an exception", "[process]") {
  const Pty pty;
  const struct termios before = pty.settings();
  try {
    RawMode raw(pty.slave.get());
    CHECK(raw.active());
    CHECK(pty.is_raw());
    throw std::runtime_error("on the way");
  } catch (const std::runtime_error&) {
  }
  CHECK(same(pty.settings(), before));

  RawMode raw(pty.slave.get());
  raw.restore();
  raw.restore();
  CHECK(same(pty.settings(), before));
  raw.again();
  CHECK(pty.is_raw());
}

TEST_CASE("raw mode of something that is no terminal does nothing", "[process]") {
  const Fd null = sys::open("/dev/null", O_RDWR);
  const RawMode raw(null.get());
  CHECK_FALSE(raw.active());
  CHECK_FALSE(is_terminal(null.get()));
  CHECK_FALSE(window_size(null.get()).has_value());
  CHECK_FALSE(set_window_size(null.get(), {1, 1}));
}

TEST_CASE("the terminal is sane after a signal ends the command line", "[process]") {
  const int signal = GENERATE(SIGTERM, SIGHUP, SIGINT, SIGQUIT);
  const Pty user, inner;
  Sockets control;
  const struct termios before = user.settings();
  const pid_t pid = command_line(user, inner, control);
  REQUIRE(becomes([&] { return user.is_raw(); }));
  for (int time = 0; time < 3; ++time) {
    ::kill(pid, signal);
    int forwarded = 0;
    REQUIRE(::recv(control.theirs.get(), &forwarded, sizeof forwarded, 0) == sizeof forwarded);
    CHECK(forwarded == signal);
    if (time < 2) CHECK(user.is_raw());
  }
  CHECK(end_of(pid) == code(PumpEnd::forced));  // the third time is taken seriously
  CHECK(same(user.settings(), before));
}

TEST_CASE("keys reach the container byte for byte, its output comes back", "[process][N0-034]") {
  const Pty user, inner;
  Sockets control;
  RawMode quiet(inner.slave.get());  // the inner terminal must not echo: only what the pump does is looked at
  const pid_t pid = command_line(user, inner, control);
  control.ours.reset();
  REQUIRE(becomes([&] { return user.is_raw(); }));
  user.type("ls\r\x03\x04\x1a");
  CHECK(test::read_until(inner.slave, "\x1a") == "ls\r\x03\x04\x1a");
  REQUIRE(::write(inner.slave.get(), "hello\r\n", 7) == 7);
  CHECK(test::read_until(user.master, "hello\r\n") == "hello\r\n");
  // The last words are written before the control socket closes, and still arrive.
  const std::string flood(20000, 'x');
  std::thread writer([&] { [[maybe_unused]] const auto count = ::write(inner.slave.get(), flood.data(), flood.size()); });
  std::string seen;
  while (seen.size() < flood.size() / 2) seen += test::read_until(user.master, "x");
  writer.join();
  REQUIRE(::write(inner.slave.get(), "bye", 3) == 3);
  control.theirs.reset();
  seen += test::read_until(user.master, "bye");
  CHECK(seen == flood + "bye");
  CHECK(end_of(pid) == code(PumpEnd::finished));
  CHECK_FALSE(user.is_raw());
}

TEST_CASE("the size of the window is copied at the start and at SIGWINCH", "[process]") {
  const Pty user, inner;
  Sockets control;
  REQUIRE(set_window_size(user.slave.get(), {33, 101}));
  const pid_t pid = command_line(user, inner, control);
  control.ours.reset();
  CHECK(becomes([&] { return window_size(inner.slave.get()) == WindowSize{33, 101}; }));
  REQUIRE(set_window_size(user.slave.get(), {20, 60}));
  ::kill(pid, SIGWINCH);  // the kernel sends it by itself only to the foreground group of a controlling terminal
  CHECK(becomes([&] { return window_size(inner.slave.get()) == WindowSize{20, 60}; }));
  control.theirs.reset();
  CHECK(end_of(pid) == code(PumpEnd::finished));
}

TEST_CASE("ctrl-p ctrl-q leaves the container running", "[process][N0-040]") {
  const Pty user, inner;
  Sockets control;
  const struct termios before = user.settings();
  RawMode quiet(inner.slave.get());
  const pid_t pid = command_line(user, inner, control);
  REQUIRE(becomes([&] { return user.is_raw(); }));
  user.type("a\x10z\x10\x11more");
  CHECK(end_of(pid) == code(PumpEnd::detached));
  CHECK(test::read_until(inner.slave, "z", 200) == "a\x10z");
  CHECK(same(user.settings(), before));
}

TEST_CASE("after SIGCONT the terminal is raw again", "[process]") {
  const Pty user, inner;
  Sockets control;
  const struct termios before = user.settings();
  const pid_t pid = command_line(user, inner, control);
  control.ours.reset();
  REQUIRE(becomes([&] { return user.is_raw(); }));
  ::tcsetattr(user.slave.get(), TCSANOW, &before);  // what a shell does when it takes the terminal back
  ::kill(pid, SIGCONT);
  CHECK(becomes([&] { return user.is_raw(); }));
  control.theirs.reset();
  CHECK(end_of(pid) == code(PumpEnd::finished));
  CHECK(same(user.settings(), before));
}

TEST_CASE("signals are read, not handled, and the mask comes back", "[process]") {
  sigset_t before, after;
  ::pthread_sigmask(SIG_SETMASK, nullptr, &before);
  {
    const SignalFd signals(forwardable_signals());
    CHECK_FALSE(signals.next().has_value());
    ::pthread_kill(::pthread_self(), SIGUSR1);
    ::pthread_kill(::pthread_self(), SIGPIPE);
    const auto first = signals.next();
    REQUIRE(first.has_value());
    CHECK(first->number == SIGUSR1);
    CHECK(first->sender == ::getpid());
    // SIGPIPE stays pending: the destructor must drop it, or this test would end here.
  }
  ::pthread_sigmask(SIG_SETMASK, nullptr, &after);
  for (int signal = 1; signal < SIGRTMIN; ++signal) CHECK(::sigismember(&before, signal) == ::sigismember(&after, signal));
}

TEST_CASE("a signal that was ignored from the start is not taken", "[process]") {
  const auto before = ::signal(SIGHUP, SIG_IGN);  // nohup
  const std::vector<int> signals = forwardable_signals();
  ::signal(SIGHUP, before);
  CHECK(std::find(signals.begin(), signals.end(), SIGHUP) == signals.end());
  CHECK(std::find(signals.begin(), signals.end(), SIGTERM) != signals.end());
  for (const int never : {SIGKILL, SIGSTOP, SIGCHLD, SIGSEGV, SIGTSTP})
    CHECK(std::find(signals.begin(), signals.end(), never) == signals.end());
}

TEST_CASE("a background process restores its terminal without being stopped", "[process]") {
  const Pty pty;
  const struct termios before = pty.settings();
  const pid_t leader = test::forked();
  if (leader == 0) {
    ::setsid();
    ::ioctl(pty.slave.get(), TIOCSCTTY, 0);
    const pid_t background = ::fork();
    if (background < 0) ::_exit(98);
    if (background == 0) {
      RawMode raw(pty.slave.get());
      ::setpgid(0, 0);  // no longer in the foreground: tcsetattr would now raise SIGTTOU and stop it
      raw.restore();
      ::_exit(raw.active() ? 1 : 0);
    }
    int status = 0;
    ::waitpid(background, &status, WUNTRACED);
    if (WIFSTOPPED(status)) ::kill(background, SIGKILL);
    ::_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 99);
  }
  CHECK(end_of(leader) == 0);
  CHECK(same(pty.settings(), before));
}
