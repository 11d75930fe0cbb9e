// Whole plans through the monitor: groups, filter, capabilities and limits as the program at the end finds them.
#include <linux/sched.h>

#include <cstdlib>
#include <sstream>

#include <drydock/plan/launch.hpp>
#include <drydock/security/capabilities.hpp>
#include <drydock/security/rlimits.hpp>
#include <drydock/security/seccomp.hpp>

#include "kernel/cgroups_world.hpp"

using namespace drydock;
using namespace drydock::cgroups;
using plan::Lane;

namespace {

std::string monitor_path() {
  const char* path = std::getenv("DRYDOCK_MONITOR");
  return path != nullptr ? path : std::string(DRYDOCK_BIN_DIR) + "/drydock-monitor";
}

struct World {
  World() : directory("/tmp/drydock-test-" + sys::random_hex(16)), id("test-" + sys::random_hex(16)) {
    sys::mkdir(directory, 0700);
  }
  ~World() { sys::remove_tree(directory); }
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  std::string directory, id;
};

// Runs `script` in /bin/sh behind the steps of this part, in the order in which a container has them.
struct Outcome {
  int exit_code = -1;
  std::string output;
  std::vector<std::string> directories;
};

Outcome run(World& world, const std::string& script, const Limits& limits, std::uint64_t mask, const std::string& ulimit = "") {
  const Layout layout = read_layout();
  const Host host = read_host(layout, limits);
  plan::Plan plan;
  const GroupPlan group = add_group_steps(plan, layout, world.id, limit_writes(layout, limits, host), {});
  const plan::Slot child = plan.slot("child", plan::SlotKind::pid);
  plan.slot("child_fd", plan::SlotKind::fd);
  plan.monitor("clone", plan::ops::clone3(CLONE_NEWIPC | CLONE_NEWUTS, group.cgroup2, Lane::payload)).into(child);
  plan.payload("die_with_monitor", plan::ops::die_with_parent());
  add_attach_steps(plan, group, Lane::payload);
  add_cpu_attach_step(plan, group, Lane::payload);
  if (!ulimit.empty()) {
    const security::Ulimit wanted = security::parse_ulimit(ulimit);
    security::add_ulimit_steps(plan, Lane::payload, {wanted}, {security::hard_limit(wanted.resource)}, false);
  }
  security::add_bounding_steps(plan, Lane::payload, mask, security::available_capabilities());
  security::add_seccomp_step(plan, Lane::payload, security::seccomp_program({"default", mask}, world.directory + "/cache"));
  security::add_capset_step(plan, Lane::payload, mask, true);
  plan.payload("exec", plan::ops::exec({"/bin/sh", "-c", "exec > " + world.directory + "/out 2>&1; " + script},
                                       {"PATH=/usr/bin:/bin"}, "/usr/bin:/bin"));
  plan::Settings settings;
  settings.id = world.id;
  settings.ledger_path = world.directory + "/ledger";
  settings.payload = child;
  settings.exec_step = "exec";
  settings.flags = plan::wire::flag_remove;
  Outcome outcome;
  outcome.directories = group.directories;
  {
    plan::Launch launch = plan::Launch::start(plan, settings, monitor_path(), world.directory);
    launch.wait_started();
    outcome.exit_code = launch.wait_exited();
  }
  outcome.output = sys::read_file_if_present(world.directory + "/out").value_or("");
  return outcome;
}

// The rest of the line that begins with `key`.
std::string value(const std::string& text, const std::string& key) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with(key)) return line.substr(line.find_first_not_of(" \t", key.size()));
  return "";
}

constexpr std::uint64_t docker_mask = 0xa80425fb;

#define NEEDS_MONITOR()                                             \
  if (sys::geteuid() != 0) DRYDOCK_SKIP("not root; run with sudo"); \
  if (!sys::exists(monitor_path())) DRYDOCK_SKIP("no drydock-monitor; build it first")

}  // namespace

TEST_CASE("the program stands in its groups from birth, and they are gone afterwards", "[cgroups][plan][N0-008]") {
  NEEDS_MONITOR();
  World world;
  Limits limits;
  limits.memory = 64 << 20;
  limits.pids = 20;
  limits.cpus = 1;
  const Outcome outcome = run(world, "cat /proc/self/cgroup; exit 7", limits, docker_mask);
  CHECK(outcome.exit_code == 7);
  std::istringstream lines(outcome.output);
  std::size_t inside = 0;
  for (std::string line; std::getline(lines, line);)
    if (line.find("/" + group_name(world.id)) != std::string::npos) ++inside;
  CHECK(inside == outcome.directories.size());
  for (const std::string& directory : outcome.directories) CHECK_FALSE(sys::exists(directory));
}

TEST_CASE("the program has Docker's capabilities, none inheritable, under a filter", "[security][plan][N4-008][N4-006]") {
  NEEDS_MONITOR();
  World world;
  const Outcome outcome = run(world, "cat /proc/self/status; ulimit -n", {}, docker_mask, "nofile=64:128");
  CHECK(outcome.exit_code == 0);
  const std::string expected = "00000000a80425fb";
  CHECK(value(outcome.output, "CapEff:") == expected);
  CHECK(value(outcome.output, "CapPrm:") == expected);
  CHECK(value(outcome.output, "CapBnd:") == expected);
  CHECK(value(outcome.output, "CapInh:") == "0000000000000000");
  CHECK(value(outcome.output, "CapAmb:") == "0000000000000000");
  CHECK(value(outcome.output, "Seccomp:") == "2");
  CHECK(outcome.output.ends_with("\n64\n"));
}

TEST_CASE("nothing brings a dropped capability back: mount stays refused for root", "[security][plan]") {
  NEEDS_MONITOR();
  World world;
  const Outcome outcome = run(world, "mount -t tmpfs none /mnt; echo $?; unshare -U true; echo $?", {}, docker_mask);
  CHECK(outcome.output.find("\n0\n") == std::string::npos);
  CHECK(outcome.output.find("denied") != std::string::npos);
}

TEST_CASE("a group that exists already is a failure, and survives", "[cgroups][plan]") {
  NEEDS_MONITOR();
  World world;
  const Layout layout = read_layout();
  const Place* place = layout.find("pids");
  if (place == nullptr) DRYDOCK_SKIP("no pids controller; boot with one");
  const std::string theirs = place->mount + "/" + group_name(world.id);
  sys::mkdir(theirs, 0755);
  int code = 0;
  std::string message;
  try {
    run(world, "true", {}, docker_mask);
  } catch (const Error& error) {
    code = error.code();
    message = error.what();
  }
  CHECK(code == EEXIST);
  CHECK(message.find(theirs) != std::string::npos);
  CHECK(sys::exists(theirs));
  sys::rmdir(theirs);
  // What had been made before the failure is gone.
  for (const Place& each : layout.places) CHECK_FALSE(sys::exists(each.mount + "/" + group_name(world.id)));
}

TEST_CASE("a fork bomb inside a plan's group leaves nothing", "[cgroups][plan][N1-177]") {
  NEEDS_MONITOR();
  World world;
  Limits limits;
  limits.pids = 16;
  const Outcome outcome = run(world, "bomb() { bomb | bomb & }; bomb; sleep 0.3; exit 3", limits, docker_mask);
  CHECK(outcome.exit_code == 3);
  for (const std::string& directory : outcome.directories) CHECK_FALSE(sys::exists(directory));
}
