// Acceptance item 3: limits hold. Every number comes from the kernel (schedstat, control group files, the clock), none from
// what a program or drydock says of itself.
#include <fcntl.h>
#include <linux/loop.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include <drydock/cgroups/group.hpp>
#include <drydock/cgroups/knobs.hpp>
#include <drydock/cgroups/layout.hpp>
#include <drydock/kernel/sys.hpp>

#include "container/look.hpp"
#include "container/processes.hpp"
#include "support/patience.hpp"

using namespace drydock;
using namespace drydock::test;

namespace {

constexpr const char* spin = "while :; do :; done";
constexpr const char* hog = "x=aaaaaaaa; while :; do x=$x$x; done";  // a string that doubles for ever

bool has_controller(const char* name) {
  return cgroups::read_layout().find(name) != nullptr;
}

void sleep_seconds(double seconds) {
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
}

// A disk that is a file: nobody else writes to it. Detached by the kernel when the last user closes it.
class LoopDisk {
 public:
  LoopDisk(const std::string& file, std::uint64_t size) : file_(sys::open(file, O_RDWR | O_CREAT | O_EXCL, 0600)) {
    const Fd control = sys::open("/dev/loop-control", O_RDWR);
    for (int attempt = 0; attempt < 8 && !disk_; ++attempt) {  // somebody else may take the free one first
      const int number = ::ioctl(control.get(), LOOP_CTL_GET_FREE);
      path_ = "/dev/loop" + std::to_string(number);
      Fd disk = sys::open(path_, O_RDWR);
      loop_config config{};
      config.fd = static_cast<__u32>(file_.get());
      config.info.lo_flags = LO_FLAGS_AUTOCLEAR;
      if (::ftruncate(file_.get(), static_cast<off_t>(size)) == 0 && ::ioctl(disk.get(), LOOP_CONFIGURE, &config) == 0) disk_ = std::move(disk);
    }
  }
  explicit operator bool() const { return static_cast<bool>(disk_); }
  const std::string& path() const { return path_; }
  std::string node() const {  // "b MAJOR MINOR", for mknod
    const struct stat status = sys::fstat(disk_);
    return "b " + std::to_string(major(status.st_rdev)) + " " + std::to_string(minor(status.st_rdev));
  }

 private:
  Fd file_, disk_;
  std::string path_;
};

}  // namespace

// ---- memory ----------------------------------------------------------------------------------------------------------

TEST_CASE("more memory than -m ends by the OOM killer, and that is said", "[container][limits][N2-035]") {
  DRYDOCK_NEEDS_HOST();
  if (!has_controller("memory")) DRYDOCK_SKIP("no memory controller; boot without cgroup_disable=memory");
  Host host;
  const Result run = in_container(host, hog, {"-m", "64M"});
  INFO(run.seen());
  CHECK(run.code == 128 + SIGKILL);
  CHECK(run.err == "drydock: the container was killed by the kernel's OOM killer: it wanted more than its memory limit of 64 MiB (-m)\n");
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("a program that survives the OOM kill of its child is not called killed", "[container][limits]") {
  DRYDOCK_NEEDS_HOST();
  if (!has_controller("memory")) DRYDOCK_SKIP("no memory controller; boot without cgroup_disable=memory");
  Host host;
  const Result run = in_container(host, std::string("sh -c '") + hog + "'; echo child $?; exit 3", {"-m", "64M"});
  INFO(run.seen());
  CHECK(run.code == 3);
  CHECK(run.out == "child 137\n");
  CHECK(has(run.err, "drydock: a process in the container was killed by the kernel's OOM killer"));
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("the OOM kill of a detached container is on record", "[container][limits]") {
  DRYDOCK_NEEDS_HOST();
  if (!has_controller("memory")) DRYDOCK_SKIP("no memory controller; boot without cgroup_disable=memory");
  Host host;
  detached(host, "hog", hog, {"-m", "32m"});
  CHECK(host.drydock({"wait", "hog"}).out == "137\n");
  CHECK(has(host.drydock({"inspect", "hog"}).out, "\"out_of_memory\": true"));
  CHECK(has(host.drydock({"ps", "-a"}).out, "Exited (137) out of memory"));
  CHECK(host.drydock({"rm", "hog"}).code == 0);
  CHECK(host.leftovers() == nothing);
}

// ---- processes -------------------------------------------------------------------------------------------------------

TEST_CASE("--pids-limit survives a fork bomb", "[container][limits][N1-177]") {
  DRYDOCK_NEEDS_HOST();
  if (!has_controller("pids")) DRYDOCK_SKIP("no pids controller; boot without cgroup_disable=pids");
  Host host;
  const auto box = detached(host, "bomb", "b() { b & b & sleep 3; }; b & exec sleep 2", {"--pids-limit", "32"});
  const cgroups::Group group(cgroups::read_layout(), box.cgroups);
  // The kernel counts the forks that it refused: the limit was reached.
  CHECK(eventually([&] { return group.events().fork_failures > 10; }));
  std::ptrdiff_t most = 0;
  for (int look = 0; look < 200; ++look) {
    const auto all = descendants();
    most = std::max(most, std::count_if(all.begin(), all.end(), [](const auto& one) { return !one.second.starts_with("drydock"); }));
  }
  CHECK(most <= 32);
  CHECK(host.drydock({"ps", "-q"}).code == 0);  // the machine still has processes to give
  CHECK(host.drydock({"wait", "bomb"}).out == "0\n");  // pid 1 was not disturbed, and takes all of them along
  CHECK(host.drydock({"rm", "bomb"}).code == 0);
  CHECK(host.leftovers() == nothing);
}

// ---- processor -------------------------------------------------------------------------------------------------------

TEST_CASE("--cpus 0.5 gives half a processor", "[container][limits][N2-040]") {
  DRYDOCK_NEEDS_HOST();
  if (!has_controller("cpu")) DRYDOCK_SKIP("no cpu controller; boot without cgroup_disable=cpu");
  Host host;
  // The large weight keeps others on this machine from taking what the quota allows.
  const auto box = detached(host, "half", spin, {"--cpus", "0.5", "-c", "262144"});
  sleep_seconds(0.3);
  const double before = cpu_seconds(box.pid);
  const std::uint64_t begin = sys::monotonic_ns();
  sleep_seconds(3);
  const double got = cpu_seconds(box.pid) - before;
  const double share = got / (static_cast<double>(sys::monotonic_ns() - begin) / 1e9);
  INFO("it had " << got << " s of processor time");
  CHECK(share > 0.45);
  CHECK(share < 0.55);
  CHECK(host.drydock({"rm", "-f", "half"}).code == 0);
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("-c 1024 against -c 512 on one processor is two to one; on v2 as their weights are", "[container][limits][N2-039]") {
  DRYDOCK_NEEDS_HOST();
  if (!has_controller("cpu") || !has_controller("cpuset")) DRYDOCK_SKIP("no cpu or cpuset controller; boot without cgroup_disable=");
  Host host;
  const auto strong = detached(host, "strong", spin, {"--cpuset-cpus", "0", "-c", "1024"});
  const auto weak = detached(host, "weak", spin, {"--cpuset-cpus", "0", "-c", "512"});
  sleep_seconds(0.3);
  const double strong_before = cpu_seconds(strong.pid), weak_before = cpu_seconds(weak.pid);
  sleep_seconds(3);
  const double strong_got = cpu_seconds(strong.pid) - strong_before, weak_got = cpu_seconds(weak.pid) - weak_before;
  INFO("they had " << strong_got << " s and " << weak_got << " s");
  // v2 has weights from 1 to 10000 where v1 has shares, and the runtimes' common curve between them is not a straight line.
  const bool v2 = cgroups::read_layout().find("cpu")->version == cgroups::Version::v2;
  const double wanted = v2 ? static_cast<double>(cgroups::weight_from_shares(1024)) / static_cast<double>(cgroups::weight_from_shares(512)) : 2;
  CHECK(strong_got / weak_got > wanted * 0.85);
  CHECK(strong_got / weak_got < wanted * 1.15);
  CHECK(host.drydock({"rm", "-f", "strong", "weak"}).code == 0);
  CHECK(host.leftovers() == nothing);
}

// ---- disks -----------------------------------------------------------------------------------------------------------

TEST_CASE("--device-write-bps holds direct writes back", "[container][limits][N2-044]") {
  DRYDOCK_NEEDS_HOST();
  if (!has_controller("blkio") && !has_controller("io")) DRYDOCK_SKIP("no blkio or io controller; boot without cgroup_disable=");
  if (!sys::exists("/dev/loop-control")) DRYDOCK_SKIP("no loop devices; a kernel with CONFIG_BLK_DEV_LOOP would do");
  Host host;
  const LoopDisk disk(host.scratch() + "/disk", 16 << 20);
  if (!disk) DRYDOCK_SKIP("no free loop device; see losetup -a");
  const std::string write = "mknod /disk " + disk.node() + " && dd if=/dev/zero of=/disk bs=256k count=16 oflag=direct";
  const Result free = in_container(host, write, {"--privileged"});
  INFO(free.seen());
  REQUIRE(free.code == 0);
  const double plain = std::min(free.seconds, in_container(host, write, {"--privileged"}).seconds);  // the first one found cold caches
  const Result held = in_container(host, write, {"--privileged", "--device-write-bps", disk.path() + ":2m"});
  INFO(held.seen());
  CHECK(held.code == 0);
  CHECK(held.seconds - plain > 1.6);  // 4 MiB at 2 MiB/s
  CHECK(held.seconds - plain < 2.6 + 0.05 * (slowness() - 1));
  CHECK(host.leftovers() == nothing);
}

// ---- what cannot be ----------------------------------------------------------------------------------------------------

TEST_CASE("a limit that this machine cannot enforce is said, and the container runs", "[container][limits][N2-042]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  bool bfq = false;
  for (const std::string& disk : sys::list_directory("/sys/block"))
    bfq = bfq || has(sys::read_file_if_present("/sys/block/" + disk + "/queue/scheduler").value_or(""), "[bfq]");
  const Result weight = in_container(host, "echo runs", {"--blkio-weight", "300"});
  INFO(weight.seen());
  CHECK(weight.out == "runs\n");
  CHECK(has(weight.err, "drydock: warning: --blkio-weight has no effect: ") == !bfq);
  const std::string swaps = sys::read_file("/proc/swaps");
  const bool swap = std::count(swaps.begin(), swaps.end(), '\n') > 1;
  const Result both = in_container(host, "echo runs", {"-m", "64m", "--memory-swap", "128m"});
  INFO(both.seen());
  CHECK(both.out == "runs\n");
  CHECK(has(both.err, "drydock: warning: --memory-swap has no effect: ") == !swap);
  CHECK(host.leftovers() == nothing);
}

TEST_CASE("a memory limit below 6 MiB is refused before anything is made", "[container][limits]") {
  DRYDOCK_NEEDS_HOST();
  Host host;
  const Result run = in_container(host, "echo runs", {"-m", "4M"});
  INFO(run.seen());
  CHECK(one_message(run, 125));
  CHECK(has(run.err, "'4M'"));
  CHECK(has(run.err, "6m or more"));
  CHECK(in_container(host, "echo runs", {"-m", "6m"}).out == "runs\n");
  CHECK(host.leftovers() == nothing);
}
