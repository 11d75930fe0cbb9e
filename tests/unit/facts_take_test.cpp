#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include <drydock/facts/report.hpp>
#include <drydock/kernel/error.hpp>
#include <drydock/kernel/sys.hpp>

#include "support/catch.hpp"

using namespace drydock;

TEST_CASE("a snapshot of this very process agrees with what it knows of itself", "[facts]") {
  const Fd file = sys::open("/dev/null", O_RDONLY);
  const facts::Snapshot snapshot = facts::take(sys::getpid());
  CHECK(snapshot.pid == sys::getpid());
  CHECK(snapshot.start_time == *sys::start_time(sys::getpid()));
  CHECK(snapshot.status.uids[1] == sys::geteuid());
  CHECK(snapshot.status.parent == ::getppid());
  CHECK(snapshot.status.ns_pids.front() == sys::getpid());
  for (const char* kind : {"cgroup", "ipc", "mnt", "net", "pid", "user", "uts"}) CHECK(snapshot.namespaces.count(kind) == 1);
  CHECK(snapshot.namespaces.at("net") == static_cast<std::uint64_t>(sys::fstat(sys::open("/proc/self/ns/net", O_RDONLY)).st_ino));
  char name[256];
  REQUIRE(::gethostname(name, sizeof name) == 0);
  CHECK(snapshot.hostname == name);
  CHECK(snapshot.executable == sys::readlink("/proc/self/exe"));
  CHECK(std::any_of(snapshot.descriptors.begin(), snapshot.descriptors.end(),
                    [&](const facts::Descriptor& d) { return d.number == file.get() && d.target == "/dev/null"; }));
  CHECK(std::any_of(snapshot.mounts.begin(), snapshot.mounts.end(), [](const facts::Mount& m) { return m.target == "/"; }));
  CHECK(std::any_of(snapshot.links.begin(), snapshot.links.end(), [](const facts::Link& l) { return l.name == "lo"; }));
  CHECK(std::any_of(snapshot.rlimits.begin(), snapshot.rlimits.end(),
                    [](const facts::Rlimit& l) { return l.name == "Max open files"; }));
  CHECK(snapshot.oom_score_adj.has_value());
  CHECK_FALSE(snapshot.uid_map.empty());
}

TEST_CASE("a process that is not there is an error with a remedy", "[facts]") {
  const pid_t pid = GENERATE(0, -1, 4194305);  // above PID_MAX_LIMIT
  try {
    facts::take(pid);
    FAIL("there is no process " << pid);
  } catch (const Error& error) {
    CHECK(std::string(error.what()).find("process " + std::to_string(pid)) == 0);
    CHECK_FALSE(error.remedy().empty());
  }
}
