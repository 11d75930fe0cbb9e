// The crash sweep: SIGKILL at random moments of the caller, of the monitor, of both, and of the reset that cleans up.
//
// A neighbour runs all the while: it keeps its processes, its address and its files. DRYDOCK_SEED=N repeats a run;
// DRYDOCK_FULL=1 takes five times as many moments.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <iostream>
#include <random>
#include <thread>

#include <drydock/container/directories.hpp>
#include <drydock/network/pool.hpp>

#include "container/processes.hpp"
#include "container/launches.hpp"
#include "support/forked.hpp"
#include "support/patience.hpp"

using namespace drydock;
using namespace drydock::test;

namespace {

const Words start_words{"run",   "--rm", "-m", "64m",  "--pids-limit", "32", "--cpus", "0.5",     "-p", "18099:80",
                        "--tmpfs", "/scratch", "-v", "/data", "busybox", "sh", "-c", "sleep 0.01 & wait"};

// Random moments between the spawn of a command and a little after its end.
class Moments {
 public:
  Moments(const std::string& of, double seconds) : engine_(announced_seed(of)), microseconds_(0, static_cast<int>(seconds * 1.1e6)) {}
  void pass() { std::this_thread::sleep_for(std::chrono::microseconds(microseconds_(engine_))); }
  bool coin() { return engine_() % 2 == 0; }

 private:
  std::mt19937 engine_;
  std::uniform_int_distribution<int> microseconds_;
};

// How many signals have to find their process alive. Those that come too late count for nothing.
int wanted() {
  return full_sweeps() ? 1000 : repetitions(200);
}

// A container that runs through a whole sweep, and everything that belongs to it.
class Neighbour {
 public:
  explicit Neighbour(Host& host) : host_(host) {
    const Result run = host.drydock({"run", "-d", "--name", "neighbour", "busybox", "sleep", "1000"});
    INFO(run.seen());
    REQUIRE(run.code == 0);
    pid_ = host.record("neighbour").pid;
    // The links of a bridge and of a start settle in the first moments.
    REQUIRE(eventually([&] {
      everything_ = host.leftovers(0);
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      return everything_ == host.leftovers(0);
    }));
  }
  // Nothing but the neighbour is left; what else there is after a second.
  Words strangers() {
    return minus(host_.leftovers(1000, everything_), everything_);
  }
  Words missing() { return minus(everything_, host_.leftovers(0)); }
  bool answers() { return host_.drydock({"exec", "neighbour", "true"}).code == 0 && host_.record("neighbour").pid == pid_; }
  void leave() {
    CHECK(answers());
    CHECK(missing() == nothing);
    CHECK(host_.drydock({"rm", "-f", "neighbour"}).code == 0);
    CHECK(host_.leftovers(3000) == nothing);
  }

 private:
  static Words minus(const Words& all, const Words& known) {
    Words rest;
    for (const std::string& one : all)
      if (std::find(known.begin(), known.end(), one) == known.end()) rest.push_back(one);
    return rest;
  }
  Host& host_;
  pid_t pid_ = 0;
  Words everything_;
};

// The median of a few.
double seconds_of_a_run(Host& host) {
  std::vector<double> seconds;
  for (int attempt = 0; attempt < 9; ++attempt) {
    const Result run = host.drydock(start_words);
    INFO(run.seen());
    REQUIRE(run.code == 0);
    seconds.push_back(run.seconds);
  }
  std::sort(seconds.begin(), seconds.end());
  return seconds[seconds.size() / 2];
}

// The monitor is the caller's child; it may not be there yet, or be gone.
int kill_monitor_of(pid_t caller) {
  int killed = 0;
  for (const pid_t child : children_of(caller)) killed += ::kill(child, SIGKILL) == 0 ? 1 : 0;
  return killed;
}

// Calls `round`, which says whether its signal found a process, until `wanted` did.
void until_hit(const std::string& what, int wanted, const std::function<bool(int)>& round) {
  int hit = 0, rounds = 0;
  for (; hit < wanted && rounds < 10 * wanted; ++rounds) hit += round(rounds) ? 1 : 0;
  std::cout << "crash sweep, " << what << ": " << hit << " killed in " << rounds << " rounds" << std::endl;
  CHECK(hit == wanted);
}

}  // namespace

TEST_CASE("crash sweep: a killed caller leaves nothing after one second, without any command", "[robustness][crash]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  Neighbour neighbour(host);
  Moments moments("kill -9 of the caller", seconds_of_a_run(host));
  until_hit("caller", wanted(), [&](int round) {
    Program run = host.start(start_words);
    moments.pass();
    const bool hit = run.runs();
    run.signal(SIGKILL);
    run.wait();
    INFO("round " << round);
    REQUIRE(neighbour.strangers() == nothing);
    return hit;
  });
  neighbour.leave();
}

TEST_CASE("crash sweep: what a killed monitor leaves is gone after the next command", "[robustness][crash]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  Neighbour neighbour(host);
  Moments moments("kill -9 of the monitor", seconds_of_a_run(host));
  until_hit("monitor", wanted(), [&](int round) {
    Program run = host.start(start_words);
    moments.pass();
    const bool hit = kill_monitor_of(run.pid()) > 0;
    if (moments.coin()) run.signal(SIGKILL);
    const Result ended = run.wait(5000);
    INFO("round " << round << ": " << ended.seen());
    REQUIRE_FALSE(ended.timed_out);
    REQUIRE(host.drydock({moments.coin() ? "ps" : "reset"}).code == 0);
    REQUIRE(neighbour.strangers() == nothing);
    return hit;
  });
  neighbour.leave();
}

TEST_CASE("crash sweep: a reset that is killed in the middle is finished by the next one", "[robustness][crash]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  Neighbour neighbour(host);
  Moments start("kill -9 of the monitor", seconds_of_a_run(host)), middle("kill -9 of reset", host.drydock({"reset"}).seconds);
  until_hit("reset", wanted() / 2, [&](int round) {
    Program run = host.start(start_words);
    start.pass();
    const bool left = kill_monitor_of(run.pid()) > 0;
    run.wait(5000);
    Program reset = host.start({"reset"});
    middle.pass();
    const bool hit = reset.runs();
    reset.signal(SIGKILL);
    reset.wait();
    INFO("round " << round);
    REQUIRE(host.drydock({"reset"}).code == 0);
    REQUIRE(neighbour.strangers() == nothing);
    return left && hit;
  });
  neighbour.leave();
}

TEST_CASE("crash sweep: alone on the host, bridge and address translation go too", "[robustness][crash]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  Moments moments("kill -9 alone", seconds_of_a_run(host));
  REQUIRE(host.leftovers(3000) == nothing);
  until_hit("alone", wanted() / 10, [&](int round) {
    Program run = host.start(start_words);
    moments.pass();
    const bool monitor = round % 2 == 1;
    const bool hit = monitor ? kill_monitor_of(run.pid()) > 0 : run.runs();
    run.signal(SIGKILL);
    run.wait();
    INFO("round " << round << (monitor ? ", with the monitor" : ""));
    if (monitor) REQUIRE(host.drydock({"ps"}).code == 0);
    REQUIRE(host.leftovers(1000) == nothing);
    return hit;
  });
}

TEST_CASE("a caller that is killed between its lease and its plan leaves nothing", "[robustness][crash]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  const container::Paths paths = host.engine().paths();
  const Fd claim = container::prepare_directories(paths);
  const pid_t caller = forked();
  if (caller == 0) {
    const network::Pool pool(paths.state, network::BridgeConfig{});
    const std::string id = sys::random_hex(64);
    const plan::IdleMonitor monitor(paths.monitor, id);
    monitor.answer_for(pool.path(), pool.ledgers(), network::teardown(pool.config(), id).data);
    network::Pool(pool).lease(id, network::veth_name(id));
    for (;;) ::pause();
  }
  const std::string addresses = network::Pool(paths.state, network::BridgeConfig{}).path();
  CHECK(eventually([&] { return sys::exists(addresses) && children_of(caller).size() == 1; }));
  ::kill(caller, SIGKILL);
  ::waitpid(caller, nullptr, 0);
  CHECK(host.leftovers(1000) == nothing);
}
