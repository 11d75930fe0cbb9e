// A monitor and a caller that were not built together: both say so.
#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cstdlib>

#include <drydock/kernel/error.hpp>
#include <drydock/kernel/fd.hpp>
#include <drydock/kernel/sys.hpp>
#include <drydock/plan/executor/context.hpp>
#include <drydock/plan/executor/packets.hpp>
#include <drydock/plan/launch.hpp>

#include "support/catch.hpp"
#include "support/needs.hpp"
#include "support/refusal.hpp"

using namespace drydock;
using namespace drydock::plan;

namespace {

std::string monitor_path() {
  const char* path = std::getenv("DRYDOCK_MONITOR");
  return path != nullptr ? path : std::string(DRYDOCK_BIN_DIR) + "/drydock-monitor";
}

// The monitor's answer to a ledger with these bytes.
wire::Packet answer_to(const std::string& ledger) {
  int pair[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
  const Fd ours(pair[0]);
  Fd theirs(pair[1]);
  const Fd file = sys::memfd_create("drydock-test-ledger", 0);
  sys::write_all(file, ledger);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, theirs.get(), executor::control_number);
  std::string path = monitor_path(), name = "drydock-monitor", id = "of-another-build";
  char* argv[] = {name.data(), id.data(), nullptr};
  char* env[] = {nullptr};
  pid_t pid = 0;
  REQUIRE(::posix_spawn(&pid, path.c_str(), &actions, nullptr, argv, env) == 0);
  posix_spawn_file_actions_destroy(&actions);
  theirs.reset();
  executor::send_packet(ours.get(), {wire::Word::ledger, 0}, file.get());
  wire::Packet packet;
  int fd = -1;
  const bool answered = executor::receive_packet_fd(ours.get(), packet, fd);
  int status = 0;
  ::waitpid(pid, &status, 0);
  REQUIRE(answered);
  CHECK(WEXITSTATUS(status) == 125);
  return packet;
}

}  // namespace

TEST_CASE("a monitor refuses a plan of another format and says which it reads", "[plan][monitor]") {
  if (!sys::exists(monitor_path())) DRYDOCK_SKIP("no drydock-monitor; build it first");
  wire::Header header;
  header.size = sizeof header;
  ++header.format;
  const wire::Packet packet = answer_to({reinterpret_cast<const char*>(&header), sizeof header});
  CHECK(packet.word == wire::Word::unfit);
  CHECK(packet.value == static_cast<std::int32_t>(wire::version));
  CHECK(answer_to("no ledger").word == wire::Word::unfit);
}

TEST_CASE("a program that is no monitor is told from a monitor that was killed", "[plan][monitor]") {
  Plan plan;
  Settings settings;
  settings.id = "not-begun";
  Launch launch = Launch::start(std::move(plan), settings, IdleMonitor("/bin/true", settings.id), "/tmp");
  const std::string said = test::refusal([&] { launch.wait_started(); });
  CHECK(said.find("ended before it began") != std::string::npos);
  CHECK(said.find("DRYDOCK_MONITOR") != std::string::npos);
}
