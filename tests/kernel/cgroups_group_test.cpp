// Groups of this machine: limits bite, counters count, freezing freezes, killing kills, nothing is left.
#include <sched.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <thread>

#include <drydock/cgroups/device_rules.hpp>

#include "kernel/cgroups_world.hpp"

using namespace drydock;
using namespace drydock::cgroups;
using drydock::test::can_limit;
using drydock::test::TestGroup;
using Clock = std::chrono::steady_clock;

namespace {

void burn(std::chrono::milliseconds time) {
  const auto end = Clock::now() + time;
  for (volatile unsigned long spin = 0; Clock::now() < end;) spin = spin + 1;
}

void rest(int milliseconds) {
  std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
}

// A counter that a member and the test see.
std::atomic<long>* shared_counter() {
  void* page = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  return new (page) std::atomic<long>(0);
}

// As on a machine of pure v2: no v1 tree has the devices.
Layout without_device_tree() {
  Layout layout = read_layout();
  std::erase_if(layout.places, [](const Place& place) { return place.controller == "devices"; });
  layout.device_programs = !layout.cgroup2.empty();
  return layout;
}

Layout without_cgroup2() {
  Layout layout = read_layout();
  std::erase_if(layout.places, [](const Place& place) { return place.version == Version::v2; });
  layout.cgroup2.clear();
  layout.shape = Shape::v1;
  return layout;
}

int forks_until_refused(int most) {
  for (int made = 0; made < most; ++made) {
    const pid_t child = ::fork();
    if (child < 0) return made;
    if (child == 0) {
      for (;;) ::pause();
    }
  }
  return most;
}

}  // namespace

TEST_CASE("a fork bomb ends at pids.max, and the group says so", "[cgroups][N1-177]") {
  if (!can_limit("pids")) DRYDOCK_SKIP("no pids controller for us; run as root");
  Limits limits;
  limits.pids = 8;
  TestGroup group(limits);
  const pid_t child = group.start([] { return forks_until_refused(100); });
  const int status = group.wait(child);
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 7);
  CHECK(group->usage().tasks == 7u);
  CHECK(group->usage().tasks_limit == 8u);
  CHECK(group->events().fork_failures >= 1);
  CHECK(group->pids().size() == 7);
}

TEST_CASE("more memory than the limit is a kill that is counted", "[cgroups][N0-095]") {
  if (!can_limit("memory")) DRYDOCK_SKIP("no memory controller for us; run as root");
  Limits limits;
  limits.memory = 16 << 20;
  limits.memory_swap = 16 << 20;
  TestGroup group(limits);
  CHECK(group->usage().memory_limit_bytes == 16u << 20);
  CHECK(group->events().oom_kills == 0);
  const pid_t child = group.start([] {
    constexpr std::size_t size = 64 << 20;
    auto* memory = static_cast<char*>(::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    for (std::size_t at = 0; at < size; at += 4096) memory[at] = 1;
    return 0;
  });
  const int status = group.wait(child);
  REQUIRE(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGKILL);
  CHECK(group->events().oom_kills == 1);
  CHECK(*group->usage().memory_peak_bytes > 12u << 20);
}

TEST_CASE("--cpus is a ceiling on an idle machine too", "[cgroups][N0-095]") {
  if (!can_limit("cpu")) DRYDOCK_SKIP("no cpu controller for us; run as root");
  Limits limits;
  limits.cpus = 0.2;
  TestGroup group(limits);
  const auto before = Clock::now();
  const pid_t child = group.start([] {
    burn(std::chrono::milliseconds(1500));
    return 0;
  });
  group.wait(child);
  const double wall = std::chrono::duration<double>(Clock::now() - before).count();
  REQUIRE(group->usage().cpu_ns);
  const double used = static_cast<double>(*group->usage().cpu_ns) / 1e9 / wall;
  CHECK(used > 0.05);
  CHECK(used < 0.26);
  CHECK(group->events().throttled_periods > 0);
  CHECK(group->events().throttled_ns > 0);
}

TEST_CASE("cpuset: members run where they may", "[cgroups]") {
  if (!can_limit("cpuset")) DRYDOCK_SKIP("no cpuset controller for us; run as root");
  Limits limits;
  limits.cpuset_cpus = std::to_string(read_host(read_layout(),
                                                [] {
                                                  Limits l;
                                                  l.cpus = 1;
                                                  return l;
                                                }())
                                          .cpus.back());
  TestGroup group(limits);
  const unsigned wanted = parse_cpu_list(*limits.cpuset_cpus).front();
  const pid_t child = group.start([wanted] {
    cpu_set_t set;
    CPU_ZERO(&set);
    ::sched_getaffinity(0, sizeof set, &set);
    return CPU_COUNT(&set) == 1 && CPU_ISSET(wanted, &set) ? 0 : 1;
  });
  CHECK(group.wait(child) == 0);
}

TEST_CASE("only the devices of the list can be opened", "[cgroups][security]") {
  if (sys::geteuid() != 0) DRYDOCK_SKIP("not root; run with sudo");
  if (!devices_guarded(read_layout())) DRYDOCK_SKIP("no v1 devices controller, no device programs; CONFIG_CGROUP_BPF");
  const auto can_open = [](const std::string& path) {
    return static_cast<bool>(Fd(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)));
  };
  // Some device that is not on the list and that root can open here: a loop device, the kernel's log, fuse.
  const std::string node = "/tmp/drydock-test-" + sys::random_hex(16);
  bool outside = false;
  for (const auto& [type, number] : {std::pair{S_IFBLK, makedev(7, 0)}, {S_IFCHR, makedev(1, 11)}, {S_IFCHR, makedev(10, 229)}}) {
    ::unlink(node.c_str());
    REQUIRE(::mknod(node.c_str(), static_cast<mode_t>(type) | 0600, number) == 0);
    outside = can_open(node);
    if (outside) break;
  }
  std::vector<int> status;
  for (const Layout& layout : {read_layout(), without_device_tree()}) {
    if (!devices_guarded(layout)) continue;
    TestGroup group({}, {}, layout);
    const pid_t child = group.start([&] {
      const std::string made = node + "-made";
      const bool makes = ::mknod(made.c_str(), S_IFBLK | 0600, makedev(7, 0)) == 0;
      ::unlink(made.c_str());
      return (can_open("/dev/null") ? 0 : 1) + (can_open("/dev/urandom") ? 0 : 2) + (can_open(node) ? 4 : 0) + (makes ? 0 : 8);
    });
    status.push_back(group.wait(child));
  }
  TestGroup privileged({}, {.device_rules = false});
  const pid_t free_child = privileged.start([&] { return can_open(node) ? 0 : 1; });
  const int free_status = privileged.wait(free_child);
  ::unlink(node.c_str());
  if (!outside) DRYDOCK_SKIP("no device outside the list can be opened here; modprobe loop");
  for (const int one : status) CHECK(WEXITSTATUS(one) == 0);
  CHECK(WEXITSTATUS(free_status) == 0);
}

TEST_CASE("a frozen group stands still, and goes on", "[cgroups][N4-046]") {
  if (sys::geteuid() != 0) DRYDOCK_SKIP("not root; run with sudo");
  for (const Layout& layout : {read_layout(), without_cgroup2()}) {
    if (layout.cgroup2.empty() && layout.find("freezer") == nullptr) continue;
    INFO(shape_name(layout.shape));
    TestGroup group({}, {}, layout);
    auto* counter = shared_counter();
    group.start([counter] {
      for (;;) ++*counter;
      return 0;
    });
    while (*counter == 0) rest(1);
    CHECK_FALSE(group->frozen());
    group->freeze();
    CHECK(group->frozen());
    const long stopped = *counter;
    rest(50);
    CHECK(*counter == stopped);
    group->thaw();
    for (int i = 0; i < 500 && *counter == stopped; ++i) rest(1);
    CHECK(*counter > stopped);
    CHECK_FALSE(group->frozen());
    ::munmap(static_cast<void*>(counter), 4096);
  }
}

TEST_CASE("kill reaches everybody, also those who left the session, and a frozen group", "[cgroups]") {
  if (sys::geteuid() != 0) DRYDOCK_SKIP("not root; run with sudo");
  for (const Layout& layout : {read_layout(), without_cgroup2()})
    for (const bool frozen : {false, true}) {
      if (layout.shape == Shape::v1 && layout.find("freezer") == nullptr) continue;
      INFO(shape_name(layout.shape) << (frozen ? " frozen" : ""));
      TestGroup group({}, {}, layout);
      const pid_t child = group.start([] {
        for (int i = 0; i < 5; ++i)
          if (::fork() == 0) {
            ::setsid();
            if (::fork() != 0) ::_exit(0);
            for (;;) ::pause();
          }
        for (;;) ::pause();
        return 0;
      });
      for (int i = 0; i < 2000 && group->pids().size() != 6 + 5; ++i) {
        rest(1);
        if (i > 100 && group->pids().size() >= 6) break;
      }
      REQUIRE(group->pids().size() >= 6);
      if (frozen) group->freeze();
      group->kill();
      CHECK(WTERMSIG(group.wait(child)) == SIGKILL);
      CHECK(group->wait_empty(2000));
      group->remove();
      CHECK_FALSE(group->exists());
    }
}

TEST_CASE("limits of a running group change in both directions", "[cgroups]") {
  if (!can_limit("memory")) DRYDOCK_SKIP("no memory controller for us; run as root");
  Limits limits;
  limits.memory = 16 << 20;
  limits.memory_swap = 16 << 20;
  TestGroup group(limits);
  for (const std::uint64_t size : {128u << 20, 8u << 20, 64u << 20}) {
    limits.memory = size;
    limits.memory_swap = static_cast<std::int64_t>(size);
    group->set(limits, group.host());
    CHECK(group->usage().memory_limit_bytes == size);
  }
  Limits late;
  late.cpuset_cpus = "0";
  const auto warnings = group->set(late, group.host());
  if (group.layout().shape != Shape::v2) {
    REQUIRE_FALSE(warnings.empty());
    CHECK(warnings[0].find("was started without a cpuset group") != std::string::npos);
  }
}

TEST_CASE("a weight and a rate are accepted by the kernel", "[cgroups][N2-042]") {
  if (!can_limit("blkio") && !can_limit("io")) DRYDOCK_SKIP("no blkio or io controller for us; run as root");
  Limits limits;
  limits.blkio_weight = 500;
  TestGroup group(limits);
  const bool v2 = group.layout().find("blkio") == nullptr;
  const std::string file = v2 ? group.directory("io") + "/io.bfq.weight" : group.directory("blkio") + "/blkio.bfq.weight";
  if (!sys::exists(file)) {
    REQUIRE_FALSE(group.warnings.empty());
    DRYDOCK_SKIP("the kernel has no BFQ policy; CONFIG_BFQ_GROUP_IOSCHED");
  }
  CHECK(sys::read_file(file).find("500") != std::string::npos);
  if (!group.host().bfq_active) CHECK(group.warnings.front().find("--blkio-weight has no effect") == 0);
}

TEST_CASE("direct writes are as slow as --device-write-bps says", "[cgroups]") {
  if (!can_limit("blkio") && !can_limit("io")) DRYDOCK_SKIP("no blkio or io controller for us; run as root");
  const std::string path = "/var/tmp/drydock-test-" + sys::random_hex(16);
  const Fd file(::open(path.c_str(), O_CREAT | O_EXCL | O_RDWR | O_DIRECT | O_CLOEXEC, 0600));
  ::unlink(path.c_str());
  struct stat info {};
  if (!file || ::fstat(file.get(), &info) != 0) DRYDOCK_SKIP("no direct writes to /var/tmp; put it on a disk");
  const std::string number = std::to_string(major(info.st_dev)) + ":" + std::to_string(minor(info.st_dev));
  if (!device_number(number) || sys::exists("/sys/dev/block/" + number + "/partition"))
    DRYDOCK_SKIP("/var/tmp is not on a whole disk");
  Limits limits;
  limits.write_bps = {{number, 2 << 20}};
  TestGroup group(limits);
  const pid_t child = group.start([&] {
    void* block = std::aligned_alloc(4096, 256 << 10);
    std::memset(block, 1, 256 << 10);
    const auto before = Clock::now();
    for (int i = 0; i < 12; ++i)
      if (::write(file.get(), block, 256 << 10) != 256 << 10) return 1;
    return Clock::now() - before > std::chrono::milliseconds(900) ? 0 : 2;  // 3 MiB at 2 MiB/s
  });
  CHECK(WEXITSTATUS(group.wait(child)) == 0);
  CHECK(*group->usage().write_bytes >= 3u << 20);
}

TEST_CASE("a partition, a missing and a wrong device", "[cgroups]") {
  CHECK_FALSE(device_number("/dev/null"));
  CHECK_FALSE(device_number("/dev/drydock-nothing"));
  CHECK_FALSE(device_number("9999:9999"));
  CHECK_FALSE(device_number("../../etc"));
}

TEST_CASE("remove takes groups along that a member made below, and is idempotent", "[cgroups]") {
  if (sys::geteuid() != 0) DRYDOCK_SKIP("not root; run with sudo");
  TestGroup group;
  sys::mkdirs(group.directories().front() + "/a/b");
  group->remove();
  CHECK_FALSE(group->exists());
  CHECK_NOTHROW(group->remove());
  CHECK(group->pids().empty());
  CHECK_FALSE(group->usage().memory_bytes);
  CHECK(group->events().oom_kills == 0);
}

TEST_CASE("remove does not wait for ever for a member", "[cgroups]") {
  if (sys::geteuid() != 0) DRYDOCK_SKIP("not root; run with sudo");
  TestGroup group;
  group.start([] {
    for (;;) ::pause();
    return 0;
  });
  for (int i = 0; i < 1000 && group->pids().empty(); ++i) rest(1);
  REQUIRE_FALSE(group->wait_empty(5));
  try {
    group->remove();
    FAIL("a group with a member was removed");
  } catch (const Error& error) {
    CHECK(error.code() == EBUSY);
  }
}
