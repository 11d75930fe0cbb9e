// Acceptance item 2, second half: `-it` under a real terminal, and a terminal that is sane after every kind of end.
#include <signal.h>

#include <drydock/kernel/sys.hpp>

#include "container/console.hpp"
#include "container/look.hpp"

using namespace drydock;
using namespace drydock::test;

namespace {

constexpr const char* ctrl_c = "\x03";
constexpr const char* ctrl_d = "\x04";
constexpr const char* detach_keys = "\x10\x11";  // ctrl-p ctrl-q

const Words shell{"run", "--rm", "-it", "--name", "shell", "busybox", "sh"};

bool running(const Host& host, const std::string& name) {
  for (const container::Record& record : host.engine().list(false))
    if (record.name == name) return true;
  return false;
}

}  // namespace

TEST_CASE("what is typed reaches the shell, and its answer the screen", "[container][terminal][N0-103][N3-033]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  Console console(host, shell);
  REQUIRE(console.prompt());
  CHECK(console.is_raw());
  console.type("echo $((6 * 7)); tty\n");
  CHECK(console.expect("\r\n42\r\n"));
  CHECK(console.expect("/dev/"));
  REQUIRE(console.prompt());
  console.type("exit 7\n");
  CHECK(console.wait() == 7);
  CHECK(console.sane());
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("the caller's erase key works, and nothing is echoed twice", "[container][terminal]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  Console console(host, {"run", "--rm", "-it", "busybox", "cat"});
  REQUIRE(eventually([&] { return console.is_raw(); }));
  console.type("hulp\x7f\x7f\x7f" "ello\n");
  CHECK(console.expect("hello\r\n"));
  console.type(ctrl_d);
  CHECK(console.wait() == 0);
  CHECK(console.sane());
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("Ctrl-C ends what runs in the shell, not the container", "[container][terminal]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  Console console(host, shell);
  REQUIRE(console.prompt());
  console.type("echo ready; sleep 100\n");
  REQUIRE(console.expect("ready\r\n"));
  REQUIRE(eventually([&] { return host.drydock({"exec", "shell", "pidof", "sleep"}).code == 0; }));
  console.type(ctrl_c);
  REQUIRE(console.prompt());
  console.type("echo was $?\n");
  CHECK(console.expect("was 130\r\n"));
  console.type("exit 4\n");
  CHECK(console.wait() == 4);
  CHECK(console.sane());
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("Ctrl-C ends a program that has no handler when there is an init", "[container][terminal]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  Console console(host, {"run", "--rm", "-it", "--init", "busybox", "sh", "-c", "echo ready; exec sleep 100"});
  REQUIRE(console.expect("ready"));
  console.type(ctrl_c);
  CHECK(console.wait() == 128 + SIGINT);
  CHECK(console.sane());
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("Ctrl-D ends the shell, and the container with it", "[container][terminal]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  Console console(host, shell);
  REQUIRE(console.prompt());
  console.type(ctrl_d);
  CHECK(console.wait() == 0);
  CHECK(console.sane());
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("the container's terminal is as large as the caller's, and follows it", "[container][terminal]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  // A shell that runs no line editor: busybox's takes SIGWINCH for itself while it reads a line.
  Console console(host, {"run", "--rm", "-it", "busybox", "sh", "-c",
                         "trap 'echo changed: $(stty size)' WINCH; trap 'exit 3' TERM; stty size; while :; do sleep 0.1; done"},
                  31, 97);
  CHECK(console.expect("31 97\r\n"));
  console.resize(40, 132);
  CHECK(console.expect("changed: 40 132\r\n"));
  console.resize(20, 50);
  CHECK(console.expect("changed: 20 50\r\n"));
  console.signal(SIGTERM);
  CHECK(console.wait() == 3);
  CHECK(console.sane());
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("exec -it has a terminal of its own", "[container][terminal][exec]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  REQUIRE(host.drydock({"run", "-d", "--rm", "--name", "box", "busybox", "sleep", "100"}).code == 0);
  Console console(host, {"exec", "-it", "box", "sh"}, 25, 81);
  REQUIRE(console.prompt());
  console.type("stty size; tty\n");
  CHECK(console.expect("25 81\r\n"));
  CHECK(console.expect("/dev/pts/"));
  console.resize(26, 82);
  CHECK(eventually([&] {
    console.type("stty size\n");
    return console.expect("26 82\r\n", 500);
  }));
  console.type("exit 5\n");
  CHECK(console.wait() == 5);
  CHECK(console.sane());
  CHECK(running(host, "box"));
  CHECK(host.drydock({"rm", "-f", "box"}).code == 0);
  CHECK(host.leftovers() == nothing);
}

// ---- sane after every kind of end ------------------------------------------------------------------------------------

TEST_CASE("the terminal is sane after the container was killed", "[container][terminal]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  Console console(host, shell);
  REQUIRE(console.prompt());
  REQUIRE(host.drydock({"kill", "shell"}).code == 0);
  CHECK(console.wait() == 128 + SIGKILL);
  CHECK(console.sane());
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("the terminal is sane after a start that failed", "[container][terminal]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  for (const Words& words : {Words{"run", "--rm", "-it", "busybox", "nosuch"}, Words{"run", "--rm", "-it", "--inject", "hostname=EPERM", "busybox", "sh"},
                             Words{"run", "--rm", "-it", "--inject", "terminal=ENOSPC", "busybox", "sh"}}) {
    Console console(host, words);
    const int code = console.wait();
    INFO(console.screen());
    CHECK(code == (words.back() == "nosuch" ? 127 : 125));
    CHECK(console.screen().find("drydock: ") != std::string::npos);
    CHECK(console.sane());
  }
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("SIGTERM to the command line reaches the program; the terminal is sane after it", "[container][terminal]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  Console console(host, {"run", "--rm", "-it", "busybox", "sh", "-c", "trap 'echo bye; exit 9' TERM; echo ready; while :; do sleep 0.1; done"});
  REQUIRE(console.expect("ready"));
  console.signal(SIGTERM);
  CHECK(console.wait() == 9);
  CHECK(console.screen().find("bye") != std::string::npos);
  CHECK(console.sane());
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("a program that ignores SIGTERM is ended by the third one; the terminal is sane after it", "[container][terminal]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  Console console(host, shell);  // a shell that is pid 1 and interactive ignores it
  REQUIRE(console.prompt());
  for (int attempt = 0; attempt < 3; ++attempt) {
    console.type("echo alive $((attempt + 1))\n");
    CHECK(console.expect("alive 1\r\n"));
    console.signal(SIGTERM);
  }
  CHECK(console.wait() == 128 + SIGKILL);
  CHECK(console.sane());
  CHECK(host.leftovers() == nothing);
}

// Docker's client dies of the SIGHUP and its daemon keeps the container; here the foreground is the only one who knows it.
TEST_CASE("a closed terminal window ends the container, after a moment for its last words", "[container][terminal]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  const std::string note = scratch_file(host, "note", "");
  const Words start{"run", "--rm", "-it", "-v", note + ":/note", "busybox", "sh", "-c"};
  for (const auto& [script, code] : {std::pair{"echo ready; exec sleep 100", 128 + SIGKILL},  // pid 1 without a handler: deaf
                                     std::pair{"echo ready; exec yes", 128 + SIGKILL},        // with nowhere to write to
                                     std::pair{"trap 'echo hung up > /note; exit 8' HUP; echo ready; while :; do sleep 0.1; done", 8}}) {
    Words words = start;
    words.push_back(script);
    Console console(host, words);
    REQUIRE(console.expect("ready"));
    console.hang_up();
    // Where the terminal was found closed by writing, the hang-up's own signal comes last, and ends the command line.
    const int seen = console.wait();
    CHECK((seen == code || seen == 128 + SIGHUP));
  }
  CHECK(sys::read_file(note) == "hung up\n");
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("a closed terminal window ends attach, not the container", "[container][terminal]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  REQUIRE(host.drydock({"run", "-dit", "--name", "box", "busybox", "cat"}).code == 0);
  Console console(host, {"attach", "box"});
  console.type("word\n");
  REQUIRE(console.expect("word\r\nword\r\n"));
  console.hang_up();
  const int code = console.wait();
  CHECK((code == 0 || code == 128 + SIGHUP));
  CHECK(running(host, "box"));
  CHECK(host.drydock({"rm", "-f", "box"}).code == 0);
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("a reader of the output who leaves ends the container", "[container][terminal]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  for (const char* option : {"-i", "-t"}) {
    const Result run = Program({"/bin/sh", "-c", drydock_program() + " run --rm " + option + " busybox yes | head -n 1"}, {}, host.environment()).wait(10'000);
    INFO(run.seen());
    CHECK_FALSE(run.timed_out);
    CHECK((run.out == "y\n" || run.out == "y\r\n"));
  }
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("a killed command line takes its container along", "[container][terminal]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  Console console(host, shell);
  REQUIRE(console.prompt());
  console.signal(SIGKILL);
  CHECK(console.wait() == 128 + SIGKILL);
  CHECK(host.leftovers() == nothing);
}

// ---- detaching ---------------------------------------------------------------------------------------------------------

TEST_CASE("ctrl-p ctrl-q leaves a container running, attach comes back to it", "[container][terminal][N0-104]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  {
    Console console(host, shell);
    REQUIRE(console.prompt());
    console.type("here=before\n");
    REQUIRE(console.prompt());
    console.type(detach_keys);
    CHECK(console.wait() == 0);
    CHECK(console.sane());
  }
  REQUIRE(running(host, "shell"));
  {
    Console console(host, {"attach", "shell"}, 33, 99);
    console.type("echo $here, $(stty size)\n");
    INFO(console.screen());
    CHECK(console.expect("before, 33 99\r\n"));
    console.type(detach_keys);  // and once more
    CHECK(console.wait() == 0);
    CHECK(console.sane());
  }
  REQUIRE(running(host, "shell"));
  {
    Console console(host, {"attach", "shell"});
    console.type("exit 6\n");
    CHECK(console.wait() == 6);
    CHECK(console.sane());
  }
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("what a container with -dt writes is seen by whoever attaches", "[container][terminal]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  REQUIRE(host.drydock({"run", "-dit", "--name", "box", "busybox", "sh"}).code == 0);
  {
    Console console(host, {"attach", "box"});
    console.type("echo $((40 + 2))\n");
    CHECK(console.expect("42\r\n"));
    console.type(detach_keys);
    CHECK(console.wait() == 0);
    CHECK(console.sane());
  }
  const Result logs = host.drydock({"logs", "box"});
  CHECK(logs.out.find("42") != std::string::npos);
  {
    Console console(host, {"attach", "box"});
    REQUIRE(eventually([&] { return console.is_raw(); }));
    REQUIRE(host.drydock({"kill", "box"}).code == 0);
    CHECK(console.wait() == 128 + SIGKILL);
    CHECK(console.sane());
  }
  CHECK(host.drydock({"rm", "box"}).code == 0);
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("-t without a terminal of the caller still gives the program one", "[container][terminal]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  const Result run = host.drydock({"run", "--rm", "-t", "busybox", "sh", "-c", "tty; stty size"});
  INFO(run.seen());
  CHECK(run.code == 0);
  CHECK(run.out.find("/dev/") != std::string::npos);
  CHECK(run.out.find("24 80") != std::string::npos);
  const Result without = host.drydock({"run", "--rm", "busybox", "tty"});
  CHECK(without.out.find("not a tty") != std::string::npos);
  CHECK(host.leftovers() == nothing);
}
