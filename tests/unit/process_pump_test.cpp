#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include <drydock/kernel/sys.hpp>
#include <drydock/process/pump.hpp>

#include "support/catch.hpp"
#include "support/pty.hpp"

using namespace drydock;
using namespace drydock::process;
using test::Pty;
using test::Sockets;

TEST_CASE("detach keys are held back until the next key decides", "[process]") {
  DetachKeys keys("\x10\x11");
  CHECK(keys.feed("abc\x10") == "abc");
  CHECK_FALSE(keys.detached());
  CHECK(keys.feed("\x10") == "\x10");
  CHECK(keys.feed("x") == "\x10x");
  CHECK(keys.feed("\x10") == "");
  CHECK(keys.feed("\x11rest") == "");
  CHECK(keys.detached());
  DetachKeys none("");
  CHECK(none.feed("\x10\x11") == "\x10\x11");
  CHECK_FALSE(none.detached());
}

TEST_CASE("the end of a file becomes the end of input of the terminal", "[process]") {
  CHECK(end_of_input('\n') == "\x04");
  CHECK(end_of_input('a') == "\x04\x04");
  const std::string text = GENERATE("last line\n", "no newline", "");
  const Pty inner;
  int pipe[2];
  REQUIRE(::pipe(pipe) == 0);
  const Fd input(pipe[0]);
  REQUIRE(::write(pipe[1], text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  ::close(pipe[1]);
  // The container: reads its terminal (in cooked mode) to the end, then the control socket closes.
  Sockets control;
  std::string got = "unread";
  std::thread container([&] {
    got.clear();
    char buffer[256];
    for (ssize_t count; (count = ::read(inner.slave.get(), buffer, sizeof buffer)) > 0;)
      got.append(buffer, static_cast<std::size_t>(count));
    control.theirs.reset();
  });
  const Fd output = sys::open("/dev/null", O_WRONLY);
  Pump job;
  job.input = input.get();
  job.output = output.get();
  job.master = inner.master.get();
  job.control = control.ours.get();
  const PumpEnd end = pump(job);
  container.join();
  CHECK(end == PumpEnd::finished);
  CHECK(got == text);
}

TEST_CASE("without a control socket the end of the pty is the end", "[process]") {
  Pty inner;
  REQUIRE(::write(inner.slave.get(), "bye", 3) == 3);
  inner.slave.reset();
  int pipe[2];
  REQUIRE(::pipe(pipe) == 0);
  const Fd from(pipe[0]), to(pipe[1]);
  Pump job;
  job.output = to.get();
  job.master = inner.master.get();
  CHECK(pump(job) == PumpEnd::hung_up);
  CHECK(test::read_until(from, "bye") == "bye");
}

TEST_CASE("a container may close its terminal and open it again", "[process]") {
  Pty inner;
  char name[64];
  REQUIRE(::ptsname_r(inner.master.get(), name, sizeof name) == 0);
  inner.slave.reset();
  int pipe[2];
  REQUIRE(::pipe(pipe) == 0);
  const Fd from(pipe[0]), to(pipe[1]);
  Sockets control;
  std::thread container([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    const Fd again(::open(name, O_RDWR | O_NOCTTY));
    [[maybe_unused]] const auto count = ::write(again.get(), "back", 4);
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    control.theirs.reset();
  });
  Pump job;
  job.output = to.get();
  job.master = inner.master.get();
  job.control = control.ours.get();
  CHECK(pump(job) == PumpEnd::finished);
  container.join();
  CHECK(test::read_until(from, "back") == "back");
}

TEST_CASE("a reader that goes away ends the pump, not the process", "[process]") {
  const Pty inner;
  int pipe[2];
  REQUIRE(::pipe(pipe) == 0);
  ::close(pipe[0]);
  const Fd output(pipe[1]);
  REQUIRE(::write(inner.slave.get(), "x", 1) == 1);
  Sockets control;
  const SignalFd signals(forwardable_signals());
  Pump job;
  job.output = output.get();
  job.master = inner.master.get();
  job.control = control.ours.get();
  job.signals = &signals;
  CHECK(pump(job) == PumpEnd::output_closed);
}

TEST_CASE("a full output pipe stalls only the output", "[process]") {
  const Pty inner;
  RawMode quiet(inner.slave.get());
  int pipe[2];
  REQUIRE(::pipe(pipe) == 0);
  const Fd from(pipe[0]), to(pipe[1]);
  const std::string flood(300000, 'y');
  std::thread program([&] {
    for (std::size_t at = 0; at < flood.size();) {
      const ssize_t count = ::write(inner.slave.get(), flood.data() + at, flood.size() - at);
      if (count <= 0) break;
      at += static_cast<std::size_t>(count);
    }
  });
  Sockets control;
  PumpEnd end = PumpEnd::forced;
  std::thread pumping([&] {
    Pump job;
    job.output = to.get();
    job.master = inner.master.get();
    job.control = control.ours.get();
    end = pump(job);
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(100));  // nobody reads: pipe and buffers are full
  std::string seen;
  while (seen.size() < flood.size()) {
    const std::string more = test::read_until(from, "y");
    if (more.empty()) break;
    seen += more;
  }
  program.join();
  control.theirs.reset();
  pumping.join();
  CHECK(seen == flood);
  CHECK(end == PumpEnd::finished);
}

TEST_CASE("without a pty the pump passes signals on and waits for the end", "[process]") {
  Sockets control;
  const SignalFd signals(forwardable_signals());
  Pump job;
  job.control = control.ours.get();
  job.signals = &signals;
  std::vector<int> passed;
  job.on_signal = [&](int number) {
    passed.push_back(number);
    if (number == SIGUSR2) [[maybe_unused]]
      const auto sent = ::send(control.theirs.get(), "end", 3, 0);
  };
  int packets = 0;
  job.on_control = [&] {
    char packet[8];
    ++packets;
    return ::recv(control.ours.get(), packet, sizeof packet, 0) == 3;  // "go on" is longer: not the end yet
  };
  REQUIRE(::send(control.theirs.get(), "go on", 5, 0) == 5);
  for (const int number : {SIGWINCH, SIGPIPE, SIGTERM, SIGUSR1, SIGUSR2}) ::pthread_kill(::pthread_self(), number);
  CHECK(pump(job) == PumpEnd::finished);
  CHECK(packets == 2);
  std::sort(passed.begin(), passed.end());
  CHECK(passed == std::vector<int>{SIGUSR1, SIGUSR2, SIGTERM});  // window size and broken pipes are the pump's own affair
}
