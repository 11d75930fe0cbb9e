// Acceptance item 12: who starts a container in the foreground, or attaches to one, stands for its program: signals go in, streams
// and the exit code come out.
#include <signal.h>

#include "container/look.hpp"

using namespace drydock;
using namespace drydock::test;

namespace {

constexpr const char* obedient = "trap 'echo bye; exit 7' TERM; echo up; while :; do sleep 0.05; done";

bool wrote(Host& host, const std::string& name, const std::string& text) {
  return eventually([&] { return has(host.drydock({"logs", name}).out, text); });
}

}  // namespace

// ---- the foreground ----------------------------------------------------------------------------------------------------

TEST_CASE("signals to the caller are the program's; its exit code the caller's", "[container][lifecycle]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  for (const auto& [number, code] : {std::pair{SIGTERM, 7}, std::pair{SIGINT, 8}, std::pair{SIGUSR1, 9}, std::pair{SIGHUP, 10}}) {
    Program run = host.start({"run", "--rm", "busybox", "sh", "-c",
                              "trap 'exit 7' TERM; trap 'exit 8' INT; trap 'exit 9' USR1; trap 'exit 10' HUP; echo up; while :; do sleep 0.05; done"});
    REQUIRE(eventually([&] { return run.out() == "up\n"; }));
    run.signal(number);
    const Result result = run.wait(5000);
    INFO(number << ": " << result.seen());
    CHECK(result.code == code);
  }
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("a container in the foreground can be seen, entered, stopped, but not attached to", "[container][lifecycle]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  Program run = host.start({"run", "--rm", "--name", "box", "busybox", "sh", "-c", obedient});
  REQUIRE(eventually([&] { return run.out() == "up\n"; }));
  CHECK(has(host.drydock({"ps"}).out, "box"));
  CHECK(host.drydock({"exec", "box", "true"}).code == 0);
  for (const char* command : {"attach", "logs"}) {
    const Result refused = host.drydock({command, "box"});
    INFO(refused.seen());
    CHECK(one_message(refused, 1));
    CHECK(has(refused.err, "container 'box': it runs in the foreground"));
    CHECK(has(refused.err, "-d"));
  }
  CHECK(host.drydock({"stop", "box"}).code == 0);
  CHECK(run.wait(5000).code == 7);
  CHECK(host.leftovers() == nothing);
}

// ---- attach ------------------------------------------------------------------------------------------------------------

TEST_CASE("attach without a terminal: input, both streams, exit code", "[container][lifecycle][N0-038]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  detached(host, "box", "while read line; do echo got $line; echo said >&2; done; exit 12", {"-i"});
  How typed;
  typed.input = "one\ntwo\n";
  const Result run = host.drydock({"attach", "box"}, typed);
  INFO(run.seen());
  CHECK(run.code == 12);
  CHECK(run.out == "got one\ngot two\n");
  CHECK(run.err == "said\nsaid\n");
  CHECK(host.drydock({"rm", "box"}).code == 0);
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("signals to attach are the program's; a lost attach changes nothing", "[container][lifecycle]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  detached(host, "box", obedient);
  REQUIRE(wrote(host, "box", "up"));
  Program lost = host.start({"attach", "box"});
  CHECK_FALSE(eventually([&] { return !lost.runs(); }, 200));
  lost.signal(SIGKILL);
  CHECK(lost.wait().code == 128 + SIGKILL);
  CHECK(host.record("box").status == container::Status::running);
  Program attached = host.start({"attach", "box"});
  CHECK_FALSE(eventually([&] { return !attached.runs(); }, 200));
  attached.signal(SIGTERM);
  const Result result = attached.wait(5000);
  INFO(result.seen());
  CHECK(result.code == 7);
  CHECK(result.out == "bye\n");
  CHECK(host.drydock({"rm", "box"}).code == 0);
  CHECK(host.leftovers() == nothing);
}
