// Each defect that a machine may have is named, with what it costs and the command that repairs it.
#include <drydock/doctor/examine.hpp>

#include <linux/capability.h>

#include <algorithm>
#include <cstdint>

#include <nlohmann/json.hpp>

#include "support/catch.hpp"
#include "support/plan_host.hpp"

using namespace drydock;
using namespace drydock::doctor;

namespace {

constexpr std::uint64_t gibibyte = 1024ull * 1024 * 1024;

// A machine that lacks nothing, and its user.
Machine good_machine(unsigned euid) {
  Machine machine;
  machine.release = "6.12.41-amd64";
  machine.architecture = "x86_64";
  machine.version = "Linux version 6.12.41";
  machine.euid = euid;
  machine.user = euid == 0 ? "root" : "student";
  machine.capabilities = euid == 0 ? ~std::uint64_t{0} : 0;
  machine.layout = test::v2_layout();
  machine.cgroups_writable = true;
  machine.mountinfo = "24 1 0:22 / /proc rw,nosuid - proc proc rw\n25 1 8:1 / / rw - ext4 /dev/sda1 rw\n";
  machine.filesystems = "nodev\tproc\nnodev\toverlay\n\text4\n";
  machine.swaps = "Filename\tType\tSize\tUsed\tPriority\n/swapfile file 1048572 0 -2\n";
  machine.sysctls = {
      {"user/max_user_namespaces", "15000\n"}, {"kernel/unprivileged_userns_clone", "1\n"}, {"kernel/core_pattern", "core\n"}};
  machine.user_namespaces = true;
  machine.subuids = machine.subgids = {{100000, 65536}};
  for (const char* program : {"newuidmap", "newgidmap", "jupyter"})
    machine.programs[program] = std::string("/usr/bin/") + program;
  machine.slirp = {true, true, true};
  machine.schedulers = {"none mq-deadline [bfq]\n"};
  machine.data = {"/var/lib/drydock", true, "ext4", 10 * gibibyte};
  machine.state = {"/run/drydock", true, "tmpfs", gibibyte};
  machine.monitor = "/usr/libexec/drydock/drydock-monitor";
  machine.clock = 1'800'000'000;
  return machine;
}

Finding of(const Machine& machine, const std::string& feature) {
  for (Finding& finding : examine(machine))
    if (finding.feature == feature) return std::move(finding);
  FAIL("no finding about " << feature);
  return {};
}

struct Defect {
  const char* feature;
  Grade grade;
  const char* in_found;
  const char* in_remedy;
  unsigned euid;
  void (*make)(Machine&);
};

const Defect defects[] = {
    {"kernel", Grade::missing, "5.10", "newer kernel", 0, [](Machine& m) { m.release = "5.10.0-30-amd64"; }},
    {"kernel", Grade::degraded, "5.15", "newer kernel", 0, [](Machine& m) { m.release = "5.15.0-generic"; }},
    {"privilege", Grade::degraded, "CAP_SYS_ADMIN", "--privileged", 0, [](Machine& m) { m.capabilities &= ~(1ull << CAP_SYS_ADMIN); }},
    {"network", Grade::missing, "CAP_NET_ADMIN", "--privileged", 0, [](Machine& m) { m.capabilities &= ~(1ull << CAP_NET_ADMIN); }},
    {"control groups", Grade::missing, "not mounted", "mount -t cgroup2", 0, [](Machine& m) { m.layout = {}; }},
    {"control groups", Grade::missing, "read-only", "remount", 0, [](Machine& m) { m.cgroups_writable = false; }},
    {"control groups", Grade::degraded, "no part", "systemd-run --user --scope", 1000,
     [](Machine& m) { m.layout = cgroups::manageable(m.layout, 1000, {}), m.cgroups_writable = false; }},
    {"disk limit", Grade::missing, "not handed to this user", "Delegate=cpu cpuset io memory pids", 1000,
     [](Machine& m) {
       m.layout = cgroups::manageable(m.layout, 1000, cgroups::Delegation{"/user.slice", {"cpu", "cpuset", "memory", "pids"}});
     }},
    {"memory limit", Grade::missing, "memory", "cgroup_disable=memory", 0,
     [](Machine& m) {
       std::erase_if(m.layout.places, [](const cgroups::Place& place) { return place.controller == "memory"; });
       m.layout.disabled = {"memory"};
     }},
    {"swap", Grade::degraded, "none", "mkswap", 0, [](Machine& m) { m.swaps = "Filename\tType\n"; }},
    {"disk weight", Grade::degraded, "bfq", "queue/scheduler", 0,
     [](Machine& m) { m.schedulers = {"none [mq-deadline] bfq\n"}; }},
    {"user namespaces", Grade::missing, "user.max_user_namespaces is 0", "sysctl -w user.max_user_namespaces", 0,
     [](Machine& m) { m.sysctls["user/max_user_namespaces"] = "0\n"; }},
    {"user namespaces", Grade::missing, "unprivileged_userns_clone is 0", "sysctl -w kernel.unprivileged_userns_clone=1", 1000,
     [](Machine& m) { m.sysctls["kernel/unprivileged_userns_clone"] = "0\n"; }},
    {"user namespaces", Grade::missing, "apparmor", "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0", 1000,
     [](Machine& m) { m.sysctls["kernel/apparmor_restrict_unprivileged_userns"] = "1\n"; }},
    {"ranges of ids", Grade::degraded, "/etc/subuid", "usermod --add-subuids", 1000, [](Machine& m) { m.subuids.clear(); }},
    {"ranges of ids", Grade::degraded, "newuidmap", "uidmap", 1000, [](Machine& m) { m.programs.erase("newuidmap"); }},
    {"user namespaces", Grade::missing, "EPERM", "--privileged", 0, [](Machine& m) { m.userns_refusal = "EPERM"; }},
    {"overlay", Grade::degraded, "not loaded", "modprobe overlay", 0,
     [](Machine& m) {
       m.filesystems = "\text4\n";
       m.modules = "kernel/fs/overlayfs/overlay.ko.xz:\n";
     }},
    {"overlay", Grade::missing, "not among", "modprobe overlay", 0, [](Machine& m) { m.filesystems = "\text4\n"; }},
    {"address translation", Grade::missing, "no nf_tables", "modprobe nf_tables", 0,
     [](Machine& m) { m.nftables = "this kernel has no nf_tables"; }},
    {"network", Grade::degraded, "slirp4netns", "apt-get install slirp4netns", 1000, [](Machine& m) { m.slirp.program = false; }},
    {"network", Grade::degraded, "/dev/net/tun", "modprobe tun", 1000,
     [](Machine& m) { m.slirp.tun = m.slirp.tun_opens = false; }},
    {"network", Grade::degraded, "closed to this user", "chmod 666 /dev/net/tun", 1000,
     [](Machine& m) { m.slirp.tun_opens = false; }},
    {"fresh /proc", Grade::degraded, "/proc/kcore", "systempaths=unconfined", 0,
     [](Machine& m) { m.mountinfo += "26 24 0:5 /null /proc/kcore rw - devtmpfs udev rw\n"; }},
    {"image store", Grade::missing, "cannot be written", "DRYDOCK_ROOT", 1000, [](Machine& m) { m.data.writable = false; }},
    {"image store", Grade::missing, "vboxsf", "own disk", 0, [](Machine& m) { m.data.file_system = "vboxsf"; }},
    {"image store", Grade::degraded, "12 MiB free", "free some space", 0,
     [](Machine& m) { m.data.free_bytes = 12 * 1024 * 1024; }},
    {"state", Grade::missing, "cannot be written", "DRYDOCK_STATE", 1000, [](Machine& m) { m.state.writable = false; }},
    {"monitor", Grade::missing, "not where", "./lab build", 0, [](Machine& m) { m.monitor.clear(); }},
    {"clock", Grade::degraded, "before 2024", "timedatectl", 0, [](Machine& m) { m.clock = 3600; }},
    {"core dumps", Grade::degraded, "|/usr/share/apport", "core_pattern", 0,
     [](Machine& m) { m.sysctls["kernel/core_pattern"] = "|/usr/share/apport/apport %p\n"; }},
    {"notebooks", Grade::degraded, "jupyter", "./lab notebook", 0, [](Machine& m) { m.programs.erase("jupyter"); }},
    {"machine", Grade::degraded, "WSL", "Vagrant", 0, [](Machine& m) { m.container_marker = "WSL"; }},
};

}  // namespace

TEST_CASE("a machine that lacks nothing is ok throughout", "[doctor]") {
  for (const Finding& finding : examine(good_machine(0))) {
    INFO(text_of(finding));
    CHECK(finding.grade == Grade::ok);
    CHECK(finding.cost.empty());
    CHECK(finding.remedy.empty());
  }
}

TEST_CASE("without root only the loss of root's own things is told", "[doctor]") {
  for (const Finding& finding : examine(good_machine(1000))) {
    INFO(text_of(finding));
    CHECK((finding.grade == Grade::ok || finding.feature == "privilege"));
  }
}

TEST_CASE("each defect is named with its cost and its repair, and disturbs no other finding", "[doctor]") {
  for (const Defect& defect : defects) {
    Machine machine = good_machine(defect.euid);
    const auto before = examine(machine);
    defect.make(machine);
    const Finding finding = of(machine, defect.feature);
    INFO(text_of(finding));
    CHECK(finding.grade == defect.grade);
    CHECK(finding.found.find(defect.in_found) != std::string::npos);
    CHECK_FALSE(finding.cost.empty());
    CHECK(finding.remedy.find(defect.in_remedy) != std::string::npos);
    const auto after = examine(machine);
    REQUIRE(before.size() == after.size());
    const bool trees = std::string(defect.feature) == "control groups";  // every limit stands on them
    for (std::size_t index = 0; index < after.size() && !trees; ++index)
      if (after[index].feature != defect.feature) CHECK(after[index].grade == before[index].grade);
  }
}

TEST_CASE("what --fix may do is a sysctl, and it is the one that the remedy names", "[doctor]") {
  for (const Defect& defect : defects) {
    Machine machine = good_machine(defect.euid);
    defect.make(machine);
    for (const Repair& repair : of(machine, defect.feature).repairs) {
      std::string name = repair.sysctl;
      std::replace(name.begin(), name.end(), '/', '.');
      CHECK(of(machine, defect.feature).remedy == "sysctl -w " + name + "=" + repair.value);
      machine.sysctls[repair.sysctl] = repair.value + "\n";
      CHECK(of(machine, defect.feature).grade == Grade::ok);
    }
  }
}

TEST_CASE("the report as data has every finding", "[doctor]") {
  Machine machine = good_machine(0);
  machine.release = "5.4.0";
  const auto json = nlohmann::json::parse(to_json(machine, examine(machine)));
  CHECK(json["machine"]["kernel"] == "5.4.0");
  CHECK(json["findings"].size() == examine(machine).size());
  CHECK(json["findings"][0]["grade"] == "missing");
}

TEST_CASE("this machine can be read", "[doctor]") {
  const Machine machine = read_machine({"/tmp", "/tmp", "/nonexistent"});
  CHECK(machine.clock > 1'700'000'000);
  CHECK_FALSE(machine.release.empty());
  CHECK(machine.data.writable);
  CHECK(of(machine, "monitor").grade == Grade::missing);
}
