// Defects provoked on a played host: `drydock doctor` names each one, and a run that meets it says the same.
#include <sys/mount.h>

#include <nlohmann/json.hpp>

#include <drydock/cgroups/layout.hpp>
#include <drydock/kernel/sys.hpp>

#include "container/host.hpp"

using namespace drydock;
using namespace drydock::test;

namespace {

struct Diagnosis {
  std::string grade, found, remedy;
};

Diagnosis diagnosis(Host& host, const std::string& feature, const How& how = {}) {
  const auto report = nlohmann::json::parse(host.drydock({"doctor", "--json"}, how).out);
  for (const auto& finding : report.at("findings"))
    if (finding.at("feature") == feature) return {finding.at("grade"), finding.at("found"), finding.at("remedy")};
  FAIL("no finding about " << feature);
  return {};
}

How with(const std::string& variable) {
  How how;
  how.environment = {variable};
  return how;
}

// In this mount namespace, until the host goes.
void mount_small_disk(const std::string& path, const char* options, unsigned long flags = 0) {
  sys::mkdirs(path, 0755);
  REQUIRE(::mount("drydock-small", path.c_str(), "tmpfs", flags, options) == 0);
}

const Words start{"run", "--rm", "busybox", "true"};

}  // namespace

TEST_CASE("doctor: read-only control groups", "[container][doctor]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  const cgroups::Layout layout = cgroups::read_layout();
  REQUIRE(layout.find("memory") != nullptr);
  const std::string mount = layout.find("memory")->mount;
  REQUIRE(::mount(nullptr, mount.c_str(), nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr) == 0);
  const Diagnosis found = diagnosis(host, "control groups");
  CHECK(found.grade == "missing");
  CHECK(found.remedy.find("writable /sys/fs/cgroup") != std::string::npos);
  const Result run = host.drydock({"run", "--rm", "-m", "64m", "busybox", "true"});
  INFO(run.seen());
  CHECK(run.code == 125);
  CHECK(run.err.find("EROFS") != std::string::npos);
  CHECK(run.err.find("writable /sys/fs/cgroup") != std::string::npos);
}

TEST_CASE("doctor: a data directory that cannot be written, and one that is full", "[container][doctor]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  const std::string sealed = host.scratch() + "/sealed", small = host.scratch() + "/small";
  mount_small_disk(sealed, "size=4m", MS_RDONLY);
  CHECK(diagnosis(host, "image store", with("DRYDOCK_ROOT=" + sealed)).grade == "missing");
  CHECK(diagnosis(host, "image store", with("DRYDOCK_ROOT=" + sealed)).remedy.find("DRYDOCK_ROOT") != std::string::npos);
  const Result refused = host.drydock(start, with("DRYDOCK_ROOT=" + sealed));
  INFO(refused.seen());
  CHECK(refused.code == 125);
  CHECK(refused.err.find("read-only") != std::string::npos);
  mount_small_disk(small, "size=1m");
  CHECK(diagnosis(host, "image store", with("DRYDOCK_ROOT=" + small)).grade == "degraded");
  const Result full = host.drydock(start, with("DRYDOCK_ROOT=" + small));
  INFO(full.seen());
  CHECK(full.code == 125);
  CHECK(full.err.find("full") != std::string::npos);
  for (const std::string& disk : {sealed, small}) REQUIRE(::umount(disk.c_str()) == 0);
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("doctor: the monitor is missing", "[container][doctor]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  const How how = with("DRYDOCK_MONITOR=/nonexistent/drydock-monitor");
  CHECK(diagnosis(host, "monitor", how).grade == "missing");
  const Result run = host.drydock(start, how);
  INFO(run.seen());
  CHECK(run.code == 125);
  CHECK(run.err.find("drydock-monitor") != std::string::npos);
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("doctor: parts of /proc are covered, as inside a container", "[container][doctor]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  REQUIRE(::mount("/dev/null", "/proc/uptime", nullptr, MS_BIND, nullptr) == 0);
  const Diagnosis found = diagnosis(host, "fresh /proc");
  CHECK(found.grade == "degraded");
  CHECK(found.found.find("/proc/uptime") != std::string::npos);
  CHECK(::umount("/proc/uptime") == 0);
  CHECK(diagnosis(host, "fresh /proc").grade == "ok");
}

TEST_CASE("doctor inside a container says what that costs", "[container][doctor]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  const Result inside = host.drydock({"run", "--rm", "-v", std::string(DRYDOCK_BIN_DIR) + ":/drydock:ro", "-v", "/lib:/lib:ro", "-v", "/lib64:/lib64:ro",
                                      "-v", "/usr/lib:/usr/lib:ro", "busybox", "/drydock/drydock", "doctor"});
  INFO(inside.seen());
  CHECK(inside.code == 1);
  CHECK(inside.out.find("root without CAP_SYS_ADMIN") != std::string::npos);
  CHECK(inside.out.find("is covered by another mount") != std::string::npos);
  CHECK(host.leftovers(3000) == nothing);
}
