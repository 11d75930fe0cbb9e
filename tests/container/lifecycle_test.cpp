// Acceptance item 12, first half: ps, logs, wait, stop, kill, rm, inspect and exit codes do what Docker users expect.
#include <signal.h>

#include <algorithm>

#include <drydock/cgroups/steps.hpp>
#include <drydock/kernel/sys.hpp>

#include <nlohmann/json.hpp>

#include "container/look.hpp"
#include "support/patience.hpp"

using namespace drydock;
using namespace drydock::test;

namespace {

constexpr const char* obedient = "trap 'echo bye; exit 7' TERM; echo up; while :; do sleep 0.05; done";

std::size_t lines(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

bool wrote(Host& host, const std::string& name, const std::string& text) {
  return eventually([&] { return has(host.drydock({"logs", name}).out, text); });
}

}  // namespace

// ---- exit codes --------------------------------------------------------------------------------------------------------

TEST_CASE("run: 0 to 255 are the program's, 125 ours, 126 not executable, 127 not found, 128+n a signal", "[container][lifecycle]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  CHECK(in_container(host, "exit 0").code == 0);
  CHECK(in_container(host, "exit 7").code == 7);
  CHECK(in_container(host, "exit 255").code == 255);
  CHECK(host.drydock({"run", "--rm", "--name", "-", "busybox", "true"}).code == 125);
  CHECK(host.drydock({"run", "--rm", "busybox", "/etc/passwd"}).code == 126);
  CHECK(host.drydock({"run", "--rm", "busybox", "/etc"}).code == 126);
  CHECK(host.drydock({"run", "--rm", "busybox", "nosuch"}).code == 127);
  CHECK(host.drydock({"run", "--rm", "busybox", "/no/such"}).code == 127);
  CHECK(host.drydock({"run", "--rm", "--init", "busybox", "sh", "-c", "kill -USR1 $$"}).code == 128 + SIGUSR1);
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("exec has the same exit codes, and leaves the container as it was", "[container][lifecycle][exec][N2-024][N0-039]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  const auto box = detached(host, "box", "exec sleep 100", {"-e", "COLOUR=red", "-w", "/tmp"});
  const auto exec = [&](Words words) {
    words.insert(words.begin(), {"exec", "box"});
    return host.drydock(words);
  };
  const Result seen = exec({"sh", "-c", "hostname; pwd; echo $COLOUR; cat /proc/1/comm; echo $$"});
  INFO(seen.seen());
  CHECK(seen.out.starts_with(box.id.substr(0, 12) + "\n/tmp\nred\nsleep\n"));
  CHECK_FALSE(seen.out.ends_with("\n1\n"));  // a process of its own, beside pid 1
  CHECK(exec({"sh", "-c", "exit 9"}).code == 9);
  CHECK(exec({"sh", "-c", "kill -9 $$"}).code == 128 + SIGKILL);
  CHECK(exec({"nosuch"}).code == 127);
  CHECK(exec({"/etc/passwd"}).code == 126);
  CHECK(host.drydock({"exec", "box"}).code == 125);
  How typed;
  typed.input = "one\n";
  CHECK(host.drydock({"exec", "-i", "box", "cat"}, typed).out == "one\n");
  CHECK(host.drydock({"exec", "-u", "nobody", "-w", "/", "-e", "COLOUR=blue", "box", "sh", "-c", "id -un; pwd; echo $COLOUR"}).out == "nobody\n/\nblue\n");
  CHECK(host.drydock({"exec", "-d", "box", "sh", "-c", "sleep 0.1; echo done > /tmp/note"}).code == 0);
  CHECK(eventually([&] { return exec({"cat", "/tmp/note"}).out == "done\n"; }));
  CHECK(host.record("box").pid == box.pid);
  CHECK(host.drydock({"rm", "-f", "box"}).code == 0);
  CHECK(host.leftovers() == nothing);
}

// ---- -d, ps, inspect ---------------------------------------------------------------------------------------------------

TEST_CASE("-d prints the id and returns; ps shows the container, and after its end only with -a", "[container][lifecycle][N2-016][N2-019][N1-135]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  CHECK(lines(host.drydock({"ps"}).out) == 1);  // the heading
  const Result run = host.drydock({"run", "-d", "--name", "box", "busybox", "sleep", "100"});
  REQUIRE(run.code == 0);
  REQUIRE(run.out.size() == 65);
  const std::string id = run.out.substr(0, 64), digits = id.substr(0, 12);
  CHECK(host.drydock({"ps", "-q"}).out == digits + "\n");
  CHECK(host.drydock({"ps", "-q", "--no-trunc"}).out == id + "\n");
  const std::string table = host.drydock({"ps"}).out;
  INFO(table);
  for (const char* word : {"box", "busybox", "\"sleep 100\"", "Up ", "172.29.0."}) CHECK(has(table, word));
  const auto line = nlohmann::json::parse(host.drydock({"ps", "--format", "json"}).out);
  CHECK(line.at("Names") == "box");
  CHECK(line.at("State") == "running");
  CHECK(host.drydock({"kill", digits}).code == 0);  // by the beginning of the id
  CHECK(host.drydock({"wait", id}).out == "137\n");
  CHECK(lines(host.drydock({"ps"}).out) == 1);
  CHECK(has(host.drydock({"ps", "-a"}).out, "Exited (137)"));
  CHECK(host.drydock({"rm", "box"}).out == "box\n");
  CHECK(lines(host.drydock({"ps", "-a"}).out) == 1);
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("inspect says what the kernel says", "[container][lifecycle][N0-122]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  detached(host, "box", "exec sleep 100", {"-m", "64m", "-e", "A=b"});
  const auto seen = nlohmann::json::parse(host.drydock({"inspect", "box"}).out);
  REQUIRE(seen.size() == 1);
  const auto pid = seen[0].at("pid").get<pid_t>();
  CHECK(eventually([&] { return sys::read_file("/proc/" + std::to_string(pid) + "/comm") == "sleep\n"; }));
  CHECK(namespace_of(pid, "pid") != namespace_of(0, "pid"));
  CHECK(seen[0].at("status") == "running");
  CHECK(seen[0].at("started").is_string());
  CHECK(seen[0].at("finished").is_null());
  CHECK(seen[0].at("spec").at("limits").at("memory") == 64 << 20);
  const cgroups::Layout layout = cgroups::read_layout();
  for (const auto& group : seen[0].at("cgroups")) {
    INFO(group);
    CHECK(has("\n" + sys::read_file(cgroups::member_directory(layout, group.get<std::string>()) + "/cgroup.procs"), "\n" + std::to_string(pid) + "\n"));
  }
  CHECK(host.drydock({"rm", "-f", "box"}).code == 0);
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("a name belongs to one container, and is free again after rm", "[container][lifecycle][N2-017]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  detached(host, "box", "true");
  CHECK(host.drydock({"wait", "box"}).code == 0);
  const Result again = in_container(host, "true", {"--name", "box"});
  INFO(again.seen());
  CHECK(one_message(again, 125));
  CHECK(has(again.err, "name 'box'"));
  CHECK(has(again.err, "drydock rm"));
  CHECK(host.drydock({"rm", "box"}).code == 0);
  CHECK(in_container(host, "true", {"--name", "box"}).code == 0);
  CHECK(host.leftovers() == nothing);
}

// ---- logs, wait --------------------------------------------------------------------------------------------------------

TEST_CASE("logs keeps the two streams apart; --tail, -t, -f", "[container][lifecycle][N2-025]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  detached(host, "box", "for i in 1 2 3 4 5; do echo line $i; done; echo problem >&2; printf 'no newline'");
  CHECK(host.drydock({"wait", "box"}).out == "0\n");
  const Result all = host.drydock({"logs", "box"});
  CHECK(all.out == "line 1\nline 2\nline 3\nline 4\nline 5\nno newline");
  CHECK(all.err == "problem\n");
  CHECK(host.drydock({"logs", "--tail", "0", "box"}).seen() == Result{0, "", ""}.seen());
  CHECK(host.drydock({"logs", "-n", "1", "box"}).out == "no newline");
  const Result some = host.drydock({"logs", "--tail=4", "box"});  // two pipes: which of the two wrote first is not on record
  CHECK(lines(some.out + some.err) == 3);
  CHECK(some.out.ends_with("line 5\nno newline"));
  CHECK(host.drydock({"logs", "--tail", "all", "box"}).out == all.out);
  CHECK(host.drydock({"logs", "--tail", "99", "box"}).out == all.out);
  const Result stamped = host.drydock({"logs", "-t", "box"});
  CHECK(has(stamped.err, "Z problem\n"));
  CHECK(has(stamped.out, "Z line 1\n"));
  CHECK(host.drydock({"logs", "-f", "box"}).out == all.out);  // ended: nothing to follow
  CHECK(one_message(host.drydock({"logs", "--tail", "some", "box"}), 1));
  CHECK(host.drydock({"rm", "box"}).code == 0);
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("logs -f follows until the end, also of a container that is removed with it", "[container][lifecycle]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  detached(host, "box", "echo early; while ! test -e /go; do sleep 0.02; done; echo late", {"--rm"});
  REQUIRE(wrote(host, "box", "early"));
  Program follower = host.start({"logs", "-f", "--tail", "0", "box"});
  CHECK_FALSE(eventually([&] { return !follower.runs(); }, 200));
  REQUIRE(host.drydock({"exec", "box", "touch", "/go"}).code == 0);
  const Result followed = follower.wait(5000);
  CHECK_FALSE(followed.timed_out);
  CHECK(followed.code == 0);
  CHECK(followed.out == "late\n");
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("wait returns the exit code, to several waiters, also after the end", "[container][lifecycle]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  detached(host, "box", "while ! test -e /go; do sleep 0.02; done; exit 33");
  Program first = host.start({"wait", "box"}), second = host.start({"wait", "box"});
  CHECK_FALSE(eventually([&] { return !first.runs() || !second.runs(); }, 200));
  REQUIRE(host.drydock({"exec", "box", "touch", "/go"}).code == 0);
  CHECK(first.wait(5000).out == "33\n");
  CHECK(second.wait(5000).out == "33\n");
  CHECK(host.drydock({"wait", "box"}).out == "33\n");
  CHECK(host.drydock({"rm", "box"}).code == 0);
  CHECK(host.leftovers() == nothing);
}

// ---- stop, kill, rm ----------------------------------------------------------------------------------------------------

TEST_CASE("stop lets a program end by itself", "[container][lifecycle][N2-021][N0-036]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  detached(host, "box", obedient);
  REQUIRE(wrote(host, "box", "up"));
  const Result stop = host.drydock({"stop", "box"});
  CHECK(stop.out == "box\n");
  CHECK(stop.seconds < 3 * slowness());
  CHECK(host.drydock({"wait", "box"}).out == "7\n");
  CHECK(has(host.drydock({"logs", "box"}).out, "bye"));
  CHECK(host.drydock({"stop", "box"}).code == 0);  // stopping what has stopped is no error
  CHECK(host.drydock({"rm", "box"}).code == 0);
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("stop -t kills a program that takes no notice; with --init SIGTERM is enough", "[container][lifecycle][N2-021]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  detached(host, "deaf", "exec sleep 100");  // pid 1 without a handler: pid_namespaces(7)
  const Result hard = host.drydock({"stop", "-t", "1", "deaf"});
  CHECK(hard.seconds > 0.9);
  CHECK(hard.seconds < 3 * slowness());
  CHECK(host.drydock({"wait", "deaf"}).out == "137\n");
  detached(host, "tended", "exec sleep 100", {"--init"});
  const Result soft = host.drydock({"stop", "tended"});
  CHECK(soft.seconds < 3 * slowness());
  CHECK(host.drydock({"wait", "tended"}).out == "143\n");
  detached(host, "hurried", "exec sleep 100");
  CHECK(host.drydock({"stop", "-t", "0", "hurried"}).seconds < 1 * slowness());
  CHECK(host.drydock({"rm", "deaf", "tended", "hurried"}).code == 0);
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("kill sends one signal and leaves the container on record", "[container][lifecycle][N2-026]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  detached(host, "box", "trap 'echo hup' HUP; trap 'exit 5' USR1; echo up; while :; do sleep 0.05; done");
  REQUIRE(wrote(host, "box", "up"));
  CHECK(host.drydock({"kill", "-s", "HUP", "box"}).code == 0);
  CHECK(wrote(host, "box", "hup"));
  CHECK(host.drydock({"kill", "--signal", "SIGUSR1", "box"}).code == 0);
  CHECK(host.drydock({"wait", "box"}).out == "5\n");
  CHECK(has(host.drydock({"ps", "-a"}).out, "Exited (5)"));
  const Result late = host.drydock({"kill", "box"});
  CHECK(one_message(late, 1));
  CHECK(has(late.err, "container 'box': it is not running"));
  CHECK(one_message(host.drydock({"kill", "-s", "NOSUCH", "box"}), 1));
  CHECK(host.drydock({"rm", "box"}).code == 0);
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("rm refuses a running container; -f ends it; several at once", "[container][lifecycle][N2-029][N2-031][N3-048]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  const auto box = detached(host, "box", "exec sleep 100");
  detached(host, "other", "true");
  const Result refused = host.drydock({"rm", "box"});
  INFO(refused.seen());
  CHECK(one_message(refused, 1));
  CHECK(has(refused.err, "container 'box': it is running; stop it first (drydock stop box), or use rm -f"));
  CHECK(sys::exists("/proc/" + std::to_string(box.pid)));
  CHECK(host.drydock({"wait", "other"}).code == 0);
  const Result both = host.drydock({"rm", "-f", "nosuch", "box", "other"});  // one that fails does not keep the others
  CHECK(both.code == 1);
  CHECK(both.out == "box\nother\n");
  CHECK(has(both.err, "container 'nosuch'"));
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("--rm with -d leaves nothing when it ends", "[container][lifecycle][N3-022]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  detached(host, "box", "exec sleep 100", {"--rm"});
  CHECK(host.drydock({"stop", "-t", "0", "box"}).code == 0);
  CHECK(host.leftovers() == nothing);
  CHECK(one_message(host.drydock({"inspect", "box"}), 1) == false);  // inspect prints its (empty) array too
  CHECK(has(host.drydock({"inspect", "box"}).err, "container 'box'"));
}

TEST_CASE("-d of a program that cannot start leaves nothing", "[container][lifecycle]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  const Result run = host.drydock({"run", "-d", "--name", "box", "busybox", "nosuch"});
  INFO(run.seen());
  CHECK(one_message(run, 127));
  CHECK(lines(host.drydock({"ps", "-a"}).out) == 1);
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("--rm in the background: who waits still gets the exit code", "[container][lifecycle]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  detached(host, "box", obedient, {"--rm"});
  REQUIRE(wrote(host, "box", "up"));
  Program waiter = host.start({"wait", "box"});
  CHECK_FALSE(eventually([&] { return !waiter.runs(); }, 200));
  CHECK(host.drydock({"kill", "-s", "TERM", "box"}).code == 0);
  CHECK(waiter.wait(5000).out == "7\n");
  CHECK(host.leftovers() == nothing);
}
