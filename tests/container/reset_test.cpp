// `drydock reset`: what it takes away, what it must leave, and launches beside it.
#include <fcntl.h>

#include <drydock/container/directories.hpp>
#include <drydock/kernel/sys.hpp>

#include "container/host.hpp"

using namespace drydock;
using namespace drydock::test;

namespace {

constexpr const char* state = "/run/drydock";

void reset(Host& host) {
  const Result result = host.drydock({"reset"});
  INFO(result.seen());
  CHECK(result.code == 0);
}

void make_host_directory(const std::string& name) {
  for (const char* part : {"/ledgers", "/names", "/root"}) sys::mkdirs(state + ("/" + name) + part, 0700);
}

}  // namespace

TEST_CASE("a reset leaves no directory of the state, whichever host's it was", "[container][reset]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  CHECK(host.drydock({"run", "--rm", "busybox", "true"}).code == 0);
  CHECK(sys::exists(container::host_directory(host.engine().paths())));
  make_host_directory("net-fffffff1");
  reset(host);
  CHECK_FALSE(sys::exists(state));
  reset(host);
}

TEST_CASE("a reset leaves the directories where something lies", "[container][reset]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  CHECK(host.drydock({"run", "-d", "--name", "stays", "busybox", "true"}).code == 0);
  CHECK(host.drydock({"wait", "stays"}).code == 0);
  make_host_directory("net-fffffff1");
  sys::open(std::string(state) + "/net-fffffff1/ledgers/of-another-host", O_WRONLY | O_CREAT, 0600);
  reset(host);
  CHECK(host.record("stays").status == container::Status::exited);
  CHECK(sys::exists(std::string(state) + "/net-fffffff1/names"));
  CHECK(host.drydock({"rm", "stays"}).code == 0);
}

TEST_CASE("a launch that has begun keeps its directory through a reset", "[container][reset]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  const container::Paths paths = host.engine().paths();
  {
    const Fd claim = container::prepare_directories(paths);
    reset(host);
    CHECK(sys::exists(container::host_directory(paths) + "/ledgers"));
  }
  reset(host);
  CHECK_FALSE(sys::exists(state));
}

TEST_CASE("a state directory behind a link that leads nowhere is refused, not tried for ever", "[container][reset]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  sys::symlink("/nowhere", host.scratch() + "/link");
  const Result run = host.drydock({"--state", host.scratch() + "/link/deep/state", "run", "--rm", "busybox", "true"});
  INFO(run.seen());
  CHECK(run.code == 125);
  CHECK(run.err.find("DRYDOCK_STATE=DIR") != std::string::npos);
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("starts and resets beside each other do not see one another", "[container][reset]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  for (int round = 0; round < 10; ++round) {
    std::vector<Program> programs;
    for (int each = 0; each < 3; ++each) {
      programs.push_back(host.start({"reset"}));
      programs.push_back(host.start({"run", "--rm", "busybox", "true"}));
      programs.push_back(host.start({"ps"}));
    }
    for (Program& program : programs) {
      const Result result = program.wait();
      INFO("round " << round << ": " << result.seen());
      CHECK(result.code == 0);
    }
  }
  CHECK(host.leftovers() == nothing);
  reset(host);
  CHECK_FALSE(sys::exists(state));
}
