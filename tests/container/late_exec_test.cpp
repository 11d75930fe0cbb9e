// Acceptance item 12, second half: exec (and its neighbours) against a container that is ending, frozen, gone, or whose pid
// belongs to somebody else by now. Each is answered within a few seconds, and nothing is left.
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <drydock/cgroups/group.hpp>
#include <drydock/kernel/sys.hpp>
#include <drydock/plan/ledger.hpp>

#include "container/look.hpp"
#include "support/forked.hpp"

using namespace drydock;
using namespace drydock::test;

namespace {

cgroups::Group group_of(const container::Record& record) {
  return cgroups::Group(cgroups::read_manageable_layout(), record.cgroups);
}

// A process of this machine that has nothing to do with any container.
class Stranger {
 public:
  Stranger() : pid_(forked()) {
    // Start times are told in clock ticks of 10 ms (proc_pid_stat(5)): whoever comes next starts at another.
    if (pid_ != 0) {
      ::usleep(30'000);
      return;
    }
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) ::pause();
  }
  ~Stranger() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  Stranger(const Stranger&) = delete;
  pid_t pid() const { return pid_; }
  bool lives() const { return ::waitpid(pid_, nullptr, WNOHANG) == 0; }

 private:
  pid_t pid_;
};

constexpr int few_seconds = 5000;

How soon() {
  How how;
  how.timeout_ms = few_seconds;
  return how;
}

// The stranger is a process of this test, and meant to be left.
Words but(const Stranger& stranger) {
  return {"process container_tests " + std::to_string(stranger.pid())};
}

}  // namespace

TEST_CASE("commands for a container that has ended, or never was, say so", "[container][lifecycle][exec]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  detached(host, "ended", "true");
  REQUIRE(host.drydock({"wait", "ended"}).code == 0);
  for (const Words& words : {Words{"exec", "ended", "true"}, Words{"attach", "ended"}, Words{"kill", "ended"}}) {
    const Result run = host.drydock(words);
    INFO(words[0] << ": " << run.seen());
    CHECK(one_message(run, words[0] == "exec" ? 125 : 1));
    CHECK(has(run.err, "container 'ended': it is not running; see 'drydock ps -a'"));
  }
  CHECK(host.drydock({"stop", "ended"}).code == 0);
  CHECK(host.drydock({"rm", "ended"}).code == 0);
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("exec while the container is ending: it runs, or is told", "[container][lifecycle][exec]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  int ran = 0, told = 0;
  for (int delay_us = 0; delay_us < 12'000; delay_us += 600) {
    const auto box = detached(host, "box", "exec sleep 100");
    Program exec = host.start({"exec", "box", "echo", "ran"});
    ::usleep(static_cast<useconds_t>(delay_us));
    ::kill(box.pid, SIGKILL);
    const Result result = exec.wait(few_seconds);
    INFO(delay_us << " us: " << result.seen());
    CHECK_FALSE(result.timed_out);
    if (result.code == 0 || result.code == 128 + SIGKILL) {  // pid 1 takes everybody in its namespace along
      ++ran;
      CHECK(result.err.empty());
    } else {
      ++told;
      CHECK(one_message(result, 125));
      CHECK(has(result.err, "container 'box': it "));  // has ended, or is not running any more, or there is none
    }
    CHECK(host.drydock({"rm", "-f", "box"}).code == 0);
  }
  CHECK(ran + told == 20);
  CHECK(told > 0);
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("exec in a frozen container is refused, stop and rm -f thaw it", "[container][lifecycle][exec][N2-027]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  for (const Words& end : {Words{"stop", "-t", "1", "box"}, Words{"rm", "-f", "box"}, Words{"kill", "box"}}) {
    const auto box = detached(host, "box", "trap 'exit 0' TERM; echo ready; while :; do sleep 0.05; done");
    REQUIRE(eventually([&] { return has(host.drydock({"logs", "box"}).out, "ready"); }));
    group_of(box).freeze();
    CHECK(has(host.drydock({"ps"}).out, "(Paused)"));
    for (const Words& words : {Words{"exec", "box", "true"}, Words{"attach", "box"}}) {
      const Result run = host.drydock(words, soon());
      INFO(run.seen());
      CHECK(one_message(run, words[0] == "exec" ? 125 : 1));
      CHECK(has(run.err, "container 'box': it is frozen"));
      CHECK(has(run.err, "thaw"));
    }
    const Result ended = host.drydock(end, soon());
    INFO(end[0] << ": " << ended.seen());
    CHECK(ended.code == 0);
    CHECK_FALSE(ended.timed_out);
    if (end[0] != "rm") {
      CHECK(host.drydock({"wait", "box"}, soon()).out == (end[0] == "stop" ? "0\n" : "137\n"));
      CHECK(host.drydock({"rm", "box"}).code == 0);
    }
  }
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("a container that is frozen while exec is on its way gives an answer", "[container][lifecycle][exec]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  int ran = 0, told = 0, stood = 0;
  for (int delay_us = 0; delay_us < 8'000; delay_us += 800) {
    const auto box = detached(host, "box", "exec sleep 100");
    cgroups::Group group = group_of(box);
    Program exec = host.start({"exec", "box", "true"});
    ::usleep(static_cast<useconds_t>(delay_us));
    group.freeze();
    // A program that has begun stands still with its container until somebody thaws it: no fault.
    if (!eventually([&] { return !exec.runs(); }, 1500)) group.thaw(), ++stood;
    const Result result = exec.wait(few_seconds);
    INFO(delay_us << " us: " << result.seen());
    CHECK_FALSE(result.timed_out);
    if (result.code == 0) ++ran;
    else if (one_message(result, 125) && has(result.err, "container 'box': it is frozen")) ++told;
    CHECK(host.drydock({"rm", "-f", "box"}, soon()).code == 0);
  }
  CHECK(ran + told == 10);
  CHECK(stood <= 2);  // the moment between the program's begin and its end is short
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("a frozen container does not keep exec from being ended by its user", "[container][lifecycle][exec]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  const auto box = detached(host, "box", "exec sleep 100");
  Program exec = host.start({"exec", "box", "sleep", "100"});
  REQUIRE(eventually([&] { return host.drydock({"exec", "box", "sh", "-c", "test $(pidof sleep | wc -w) = 2"}).code == 0; }));
  group_of(box).freeze();
  for (int asked = 0; asked < 3; ++asked) {
    exec.signal(SIGTERM);
    ::usleep(50'000);  // signals of the same number do not queue
  }
  const Result result = exec.wait(few_seconds);
  INFO(result.seen());
  CHECK_FALSE(result.timed_out);
  // The freezer of cgroup2 lets a deadly signal through, that of v1 only after the third: then it is thawed and killed.
  CHECK((result.code == 128 + SIGTERM || result.code == 128 + SIGKILL));
  CHECK(host.drydock({"rm", "-f", "box"}, soon()).code == 0);
  CHECK(host.leftovers() == nothing);
}

// The ledger says who is meant by pid and start time. A number that belongs to somebody else by now must not be joined,
// signalled or waited for.
TEST_CASE("a pid that belongs to somebody else by now is left alone", "[container][lifecycle][exec]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  const Stranger stranger;
  const auto box = detached(host, "box", "exec sleep 100");
  {
    plan::Ledger ledger(box.ledger_path);
    ledger.header().payload_pid = stranger.pid();  // with the start time of the container's
  }
  const Result exec = host.drydock({"exec", "box", "true"}, soon());
  INFO(exec.seen());
  CHECK(one_message(exec, 125));
  CHECK(has(exec.err, "container 'box': it "));
  CHECK(one_message(host.drydock({"kill", "box"}, soon()), 1));
  const Result share = host.drydock({"run", "--rm", "--network", "container:box", "busybox", "true"}, soon());
  INFO(share.seen());
  CHECK(one_message(share, 125));
  CHECK(stranger.lives());
  {
    plan::Ledger ledger(box.ledger_path);
    ledger.header().payload_pid = box.pid;
  }
  CHECK(host.drydock({"rm", "-f", "box"}, soon()).code == 0);
  CHECK(stranger.lives());
  CHECK(host.leftovers(1000, but(stranger)) == but(stranger));
}

TEST_CASE("a monitor that was killed: its container is gone with the next command, whatever that is", "[container][lifecycle]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  const Stranger stranger;
  for (const Words& words : {Words{"exec", "box", "true"}, Words{"stop", "box"}, Words{"wait", "box"}, Words{"rm", "-f", "box"}, Words{"logs", "-f", "box"}}) {
    const auto box = detached(host, "box", "echo out; exec sleep 100");
    REQUIRE(eventually([&] { return has(host.drydock({"logs", "box"}).out, "out"); }));
    ::kill(box.monitor, SIGKILL);
    const Result run = host.drydock(words, soon());
    INFO(words[0] << ": " << run.seen());
    CHECK_FALSE(run.timed_out);
    CHECK(eventually([&] { return sys::start_time(box.pid) != box.pid_start; }, 1000));
    if (words[0] == "exec") CHECK(one_message(run, 125));
    if (words[0] == "wait") CHECK(run.out == "137\n");
    if (words[0] == "logs") CHECK(run.out == "out\n");
    if (words[0] != "rm") CHECK(host.drydock({"rm", "box"}, soon()).code == 0);
  }
  CHECK(stranger.lives());
  CHECK(host.leftovers(1000, but(stranger)) == but(stranger));
}

TEST_CASE("a ledger whose monitor number belongs to a stranger is recovered, and the stranger lives", "[container][lifecycle]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  const Stranger stranger;
  const auto box = detached(host, "box", "exec sleep 100");
  ::kill(box.monitor, SIGKILL);
  REQUIRE(eventually([&] { return !plan::Ledger(box.ledger_path).monitor_lives(); }));
  {
    plan::Ledger ledger(box.ledger_path);
    ledger.header().monitor_pid = ledger.header().payload_pid = stranger.pid();
  }
  CHECK(host.drydock({"reset"}, soon()).code == 0);
  CHECK(host.drydock({"rm", "box"}, soon()).code == 0);
  CHECK(stranger.lives());
  CHECK(host.leftovers(1000, but(stranger)) == but(stranger));
}

TEST_CASE("a ledger of an earlier boot is only files", "[container][lifecycle]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  const Stranger stranger;
  const auto box = detached(host, "box", "exec sleep 100");
  ::kill(box.monitor, SIGKILL);
  REQUIRE(eventually([&] { return sys::start_time(box.pid) != box.pid_start; }));
  {
    plan::Ledger ledger(box.ledger_path);
    ledger.header().payload_pid = ledger.header().monitor_pid = stranger.pid();
    ledger.header().payload_start = ledger.header().monitor_start = *sys::start_time(stranger.pid());  // by chance the same
    ledger.header().boot_id[0] = ledger.header().boot_id[0] == '0' ? '1' : '0';
  }
  CHECK(one_message(host.drydock({"exec", "box", "true"}, soon()), 125));
  CHECK(host.drydock({"rm", "box"}, soon()).code == 0);
  CHECK(stranger.lives());
  CHECK(host.leftovers(1000, but(stranger)) == but(stranger));
}

TEST_CASE("a damaged ledger hides no other container", "[container][lifecycle]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  const auto box = detached(host, "box", "exec sleep 100");
  const std::string torn = box.ledger_path.substr(0, box.ledger_path.rfind('/')) + "/" + std::string(64, 'a');
  sys::write_all(sys::open(torn, O_WRONLY | O_CREAT, 0600), std::string(100, 'x'));
  CHECK(has(host.drydock({"ps"}).out, "box"));
  CHECK(host.drydock({"exec", "box", "true"}).code == 0);
  CHECK(host.drydock({"rm", "-f", "box"}).code == 0);
  sys::unlink_if_present(torn);
  CHECK(host.leftovers() == nothing);
}
