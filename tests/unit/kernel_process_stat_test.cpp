#include <drydock/kernel/process_stat.hpp>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include <drydock/kernel/sys.hpp>

#include "support/catch.hpp"
#include "support/forked.hpp"

using namespace drydock;

namespace {

std::string line(const std::string& name, char state) {
  return "77 (" + name + ") " + state + " 1 77 77 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 4711 1000 2000\n";
}

}  // namespace

TEST_CASE("state and start time are found behind any name", "[kernel]") {
  for (const char* name : {"sh", "a b", "x) R 1 (", "", ") Z 9"}) {
    const ProcessStat stat = parse_process_stat(line(name, 'S'));
    CHECK(stat.state == 'S');
    CHECK(stat.start_time == 4711);
    CHECK(stat.lives());
  }
}

TEST_CASE("zombies, the dead, and half a line do not live", "[kernel]") {
  CHECK_FALSE(parse_process_stat(line("sh", 'Z')).lives());
  CHECK_FALSE(parse_process_stat(line("sh", 'X')).lives());
  for (const char* text : {"", "77", "77 (sh)", "77 (sh) ", "77 (sh) S 1 77"}) CHECK_FALSE(parse_process_stat(text).lives());
}

TEST_CASE("a process that exits says so in its flags", "[kernel]") {
  CHECK_FALSE(parse_process_stat(line("sh", 'S')).exiting);
  CHECK(parse_process_stat("77 (a ) b) D 1 77 77 0 -1 4194308 1 0 0 0 0 0 0 0 20 0 1 0 4711 0\n").exiting);
}

TEST_CASE("a stopped process with SIGKILL pending is dying", "[kernel]") {
  const pid_t child = test::forked();
  if (child == 0) {
    for (;;) ::pause();
  }
  CHECK_FALSE(sys::is_dying(child));
  ::kill(child, SIGKILL);
  CHECK(sys::is_dying(child));
  ::waitpid(child, nullptr, 0);
  CHECK(sys::is_dying(child));  // gone altogether
}

TEST_CASE("a child that nobody has waited for has no start time any more", "[kernel]") {
  const pid_t child = test::forked();
  if (child == 0) ::_exit(0);
  siginfo_t info{};
  REQUIRE(::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT) == 0);
  CHECK_FALSE(sys::start_time(child).has_value());
  CHECK(sys::start_time(sys::getpid()).has_value());
  ::waitpid(child, nullptr, 0);
  CHECK_FALSE(sys::start_time(child).has_value());
}
