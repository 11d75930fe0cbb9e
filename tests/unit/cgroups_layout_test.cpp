// Layout detection is pure: each layout is tested on every machine.
#include <drydock/cgroups/device_rules.hpp>
#include <drydock/cgroups/layout.hpp>

#include "support/catch.hpp"

using namespace drydock::cgroups;

namespace {

const char* const all_controllers =
    "#subsys_name\thierarchy\tnum_cgroups\tenabled\n"
    "cpuset\t3\t1\t1\ncpu\t1\t1\t1\ncpuacct\t2\t1\t1\nblkio\t7\t1\t1\nmemory\t4\t11\t1\ndevices\t5\t1\t1\nfreezer\t6\t1\t1\npids"
    "\t8\t1\t1\n";

// A machine with one v1 mount per controller and a cgroup2 tree that limits nothing but huge pages.
const Texts hybrid{
    "23 1 254:0 / / rw,relatime shared:1 - ext4 /dev/root rw\n"
    "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n"
    "32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu\n"
    "33 31 0:30 / /sys/fs/cgroup/cpuacct rw,relatime - cgroup cgroup rw,cpuacct\n"
    "34 31 0:31 / /sys/fs/cgroup/cpuset rw,relatime - cgroup cgroup rw,cpuset\n"
    "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"
    "36 31 0:33 / /sys/fs/cgroup/devices rw,relatime - cgroup cgroup rw,devices\n"
    "37 31 0:34 / /sys/fs/cgroup/freezer rw,relatime - cgroup cgroup rw,freezer\n"
    "38 31 0:35 / /sys/fs/cgroup/blkio rw,relatime - cgroup cgroup rw,blkio\n"
    "39 31 0:36 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids\n"
    "40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,name=systemd\n"
    "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n",
    "9:name=systemd:/\n8:pids:/\n4:memory:/somewhere/else\n1:cpu:/\n0::/\n", all_controllers, "hugetlb\n"};

// Debian 13 with systemd: everything in one tree, controllers as the root offers them.
const Texts unified{
    "24 30 0:22 / /sys rw,nosuid,nodev,noexec,relatime shared:7 - sysfs sysfs rw\n"
    "31 24 0:27 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot\n"
    "32 24 0:28 / /sys/fs/pstore rw,nosuid,nodev,noexec,relatime shared:10 - pstore none rw\n",
    "0::/user.slice/user-1000.slice/user@1000.service/app.slice/run-u5.scope\n",
    "#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpu\t0\t70\t1\nmemory\t0\t70\t1\nhugetlb\t0\t70\t0\n",
    "cpuset cpu io memory hugetlb pids rdma misc dmem\n"};

// An old distribution: only v1, cpu and cpuacct on one mount, a bind mount of a part of the memory tree elsewhere.
const Texts legacy{
    "40 30 0:40 /docker/abc /srv/part\\040of rw - cgroup cgroup rw,memory\n"
    "25 24 0:20 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:11 - cgroup cgroup rw,cpu,cpuacct\n"
    "26 24 0:21 / /sys/fs/cgroup/memory rw,nosuid shared:12 - cgroup cgroup rw,seclabel,memory\n"
    "27 24 0:23 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,release_agent=/lib/x,name=systemd\n",
    "3:cpu,cpuacct:/\n2:memory:/\n", all_controllers, ""};

std::string mount_of(const Layout& layout, std::string_view controller) {
  const Place* place = layout.find(controller);
  return place == nullptr ? "nowhere" : place->mount;
}

}  // namespace

TEST_CASE("hybrid: controllers are v1, cgroup2 is there beside them", "[cgroups][N0-094]") {
  const Layout layout = Layout::detect(hybrid);
  CHECK(layout.shape == Shape::hybrid);
  CHECK(layout.cgroup2 == "/sys/fs/cgroup/unified");
  CHECK(mount_of(layout, "memory") == "/sys/fs/cgroup/memory");
  CHECK(layout.find("memory")->version == Version::v1);
  CHECK(layout.find("hugetlb")->version == Version::v2);
  CHECK(mount_of(layout, "io") == "nowhere");
  CHECK(mount_of(layout, "name=systemd") == "nowhere");
  CHECK(mount_of(layout, "rw") == "nowhere");
  CHECK(layout.places.size() == 9);
  CHECK(devices_guarded(layout));
}

TEST_CASE("v2: one tree owns every controller it offers", "[cgroups][N0-094]") {
  const Layout layout = Layout::detect(unified);
  CHECK(layout.shape == Shape::v2);
  CHECK(layout.cgroup2 == "/sys/fs/cgroup");
  for (const auto* name : {"cpu", "cpuset", "io", "memory", "pids"}) {
    REQUIRE(layout.find(name) != nullptr);
    CHECK(layout.find(name)->version == Version::v2);
    CHECK(layout.find(name)->mount == "/sys/fs/cgroup");
  }
  CHECK(layout.find("blkio") == nullptr);
  CHECK_FALSE(devices_guarded(layout));
  Layout with_programs = layout;
  with_programs.device_programs = true;
  CHECK(devices_guarded(with_programs));
}

TEST_CASE("v1: controllers that share a mount, and a part of a tree mounted elsewhere", "[cgroups]") {
  const Layout layout = Layout::detect(legacy);
  CHECK(layout.shape == Shape::v1);
  CHECK(layout.cgroup2.empty());
  CHECK(mount_of(layout, "cpu") == "/sys/fs/cgroup/cpu,cpuacct");
  CHECK(mount_of(layout, "cpuacct") == "/sys/fs/cgroup/cpu,cpuacct");
  CHECK(mount_of(layout, "memory") == "/sys/fs/cgroup/memory");
  CHECK(mount_of(layout, "seclabel") == "nowhere");
  CHECK(mount_of(layout, "xattr") == "nowhere");
}

TEST_CASE("only a part of a tree mounted: better than nothing, and escaped names are read", "[cgroups]") {
  Texts texts = legacy;
  texts.mountinfo = texts.mountinfo.substr(0, texts.mountinfo.find('\n') + 1);
  CHECK(mount_of(Layout::detect(texts), "memory") == "/srv/part of");
}

TEST_CASE("no hierarchy at all, and garbage, are a layout too", "[cgroups]") {
  for (const char* text : {"", "\n\n", "cgroup2", "1 2 3 - cgroup", " - cgroup2 x y", "1 2 0:1 / /x rw - cgroup\n"}) {
    const Layout layout = Layout::detect({text, "", "", "memory"});
    INFO(text);
    CHECK(layout.shape == Shape::none);
    CHECK(layout.find("memory") == nullptr);
    CHECK(layout.why_missing("memory") == "no control group hierarchy is mounted");
  }
}

TEST_CASE("a controller that is missing is explained", "[cgroups]") {
  CHECK(Layout::detect(unified).why_missing("hugetlb").find("cgroup_disable=") != std::string::npos);
  CHECK(Layout::detect(unified).why_missing("blkio").find("cgroup.controllers") != std::string::npos);
  CHECK(Layout::detect(hybrid).why_missing("net_cls") == "no mounted hierarchy has the net_cls controller");
}

namespace {

constexpr const char* service = "/user.slice/user-1000.slice/user@1000.service";

// The groups above a program of user 1000 that systemd-run started.
std::vector<Ancestor> in_scope(const char* controllers) {
  const std::string top = service;
  return {{top + "/app.slice/run-u5.scope", true, true, controllers}, {top + "/app.slice", true, false, controllers}, {top, true, false, controllers},
          {"/user.slice/user-1000.slice", false, false, "cpu memory pids"}, {"/user.slice", false, false, "cpu memory pids"}, {"", false, true, "cpu"}};
}

}  // namespace

TEST_CASE("a user's groups go to the highest group above the caller that is the user's and empty", "[cgroups]") {
  const auto part = choose_delegation(in_scope("memory pids\n"));
  REQUIRE(part);
  CHECK(part->group == service);
  CHECK(part->controllers == std::vector<std::string>{"memory", "pids"});
  // A shell in a slice of its own, as a course server may give: the group with the shell can hand on nothing, the one above can.
  CHECK(choose_delegation({{"/students/ada/shell", true, true, "pids"}, {"/students/ada", true, false, "pids"}, {"/students", false, false, ""}})->group == "/students/ada");
  // A login by ssh stands beside the part that systemd gives.
  CHECK_FALSE(choose_delegation({{"/user.slice/user-1000.slice/session-1.scope", false, true, ""}, {"/user.slice", false, false, ""}, {"", false, true, ""}}));
  // A scope that is delegated but full of us hands on nothing.
  CHECK_FALSE(choose_delegation({{"/system.slice/x.scope", true, true, "pids"}, {"/system.slice", false, false, "pids"}}));
  CHECK(group_name("7f3a") == "drydock-7f3a");
}

TEST_CASE("what a user without root may manage, and what to do for the rest", "[cgroups]") {
  CHECK(manageable(Layout::detect(hybrid), 0, {}) == Layout::detect(hybrid));
  const Layout v1 = manageable(Layout::detect(hybrid), 1000, {});
  CHECK(v1.shape == Shape::none);
  CHECK(v1.why_missing("memory").find("v1") != std::string::npos);
  CHECK(v1.remedy_for("memory").find("run as root") != std::string::npos);
  const Layout some = manageable(Layout::detect(unified), 1000, choose_delegation(in_scope("memory pids")));
  CHECK(some.parent2 == service);
  CHECK(some.find("memory") != nullptr);
  CHECK(some.find("io") == nullptr);
  CHECK(some.why_missing("io").find("not handed to this user") != std::string::npos);
  CHECK(some.remedy_for("io").find("Delegate=cpu cpuset io memory pids") != std::string::npos);
  const Layout none = manageable(Layout::detect(unified), 1000, {});
  CHECK(none.cgroup2.empty());
  CHECK(none.remedy_for("memory").find("Delegate=yes") != std::string::npos);
}
