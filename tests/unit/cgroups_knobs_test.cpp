// The knob table: what is written where, for each layout, and what is refused or said to be without effect.
#include <drydock/cgroups/knobs.hpp>
#include <drydock/kernel/error.hpp>

#include <algorithm>
#include <limits>
#include <set>

#include "support/catch.hpp"

using namespace drydock::cgroups;

namespace {

Layout v1_layout() {
  Layout layout;
  layout.shape = Shape::hybrid;
  layout.cgroup2 = "/cg/unified";
  for (const auto* name : {"blkio", "cpu", "cpuset", "memory", "pids"})
    layout.places.push_back({name, Version::v1, "/cg/" + std::string(name)});
  return layout;
}

Layout v2_layout() {
  Layout layout;
  layout.shape = Shape::v2;
  layout.cgroup2 = "/cg";
  for (const auto* name : {"cpu", "cpuset", "io", "memory", "pids"}) layout.places.push_back({name, Version::v2, "/cg"});
  return layout;
}

Host machine() {
  Host host;
  host.cpus = {0, 1, 2, 3};
  host.swap = true;
  host.bfq = host.bfq_active = true;
  host.devices = {{"/dev/vda", "254:0"}, {"/dev/vdb", "254:16"}};
  return host;
}

// "memory.max=67108864" per write, in order.
std::vector<std::string> lines(const LimitWrites& writes) {
  std::vector<std::string> result;
  for (const Write& write : writes.writes) result.push_back(write.file + "=" + write.value);
  return result;
}

using Lines = std::vector<std::string>;

bool refused(const Limits& limits, const Host& host, std::string_view part) {
  try {
    validate(limits, host);
  } catch (const drydock::Error& error) {
    return error.code() == 0 && std::string_view(error.what()).find(part) != std::string_view::npos;
  }
  return false;
}

}  // namespace

TEST_CASE("memory: v1 sums memory and swap and wants memory first, v2 counts swap alone", "[cgroups][N2-035]") {
  Limits limits;
  limits.memory = 64 << 20;
  limits.memory_swap = 100 << 20;
  CHECK(lines(limit_writes(v1_layout(), limits, machine())) ==
        Lines{"memory.limit_in_bytes=67108864", "memory.memsw.limit_in_bytes=104857600"});
  CHECK(lines(limit_writes(v2_layout(), limits, machine())) == Lines{"memory.max=67108864", "memory.swap.max=37748736"});
  limits.memory_swap = -1;
  CHECK(lines(limit_writes(v1_layout(), limits, machine())).back() == "memory.memsw.limit_in_bytes=-1");
  CHECK(lines(limit_writes(v2_layout(), limits, machine())).back() == "memory.swap.max=max");
}

TEST_CASE("memory alone implies twice as much with swap, as in Docker", "[cgroups]") {
  Limits limits;
  limits.memory = 64 << 20;
  CHECK(lines(limit_writes(v1_layout(), limits, machine())).back() == "memory.memsw.limit_in_bytes=134217728");
  CHECK(lines(limit_writes(v2_layout(), limits, machine())).back() == "memory.swap.max=67108864");
  Host host = machine();
  host.swap_accounting = false;
  const LimitWrites without = limit_writes(v1_layout(), limits, host);
  CHECK(lines(without) == Lines{"memory.limit_in_bytes=67108864"});
  CHECK(without.warnings.empty());
  CHECK(limit_writes(Layout{}, limits, machine()).warnings.size() == 1);  // about memory, which was asked for
}

TEST_CASE("swap that cannot be limited, or does not exist, is said", "[cgroups]") {
  Limits limits;
  limits.memory = 64 << 20;
  limits.memory_swap = 100 << 20;
  Host host = machine();
  host.swap = false;
  CHECK(limit_writes(v1_layout(), limits, host).warnings ==
        Lines{"--memory-swap has no effect: this machine has no swap space (fallocate -l 1G /swapfile && chmod 600 /swapfile && mkswap /swapfile && swapon /swapfile)"});
  host.swap_accounting = false;
  CHECK(limit_writes(v1_layout(), limits, host).warnings ==
        Lines{"--memory-swap has no effect: the kernel does not account swap (boot it with swapaccount=1)"});
}

TEST_CASE("processor: shares, quota and cpuset", "[cgroups]") {
  Limits limits;
  limits.cpu_shares = 512;
  limits.cpus = 0.5;
  limits.cpuset_cpus = "0-1";
  CHECK(lines(limit_writes(v1_layout(), limits, machine())) ==
        Lines{"cpuset.mems=0", "cpuset.cpus=0-1", "cpu.shares=512", "cpu.cfs_period_us=100000", "cpu.cfs_quota_us=50000"});
  CHECK(lines(limit_writes(v2_layout(), limits, machine())) == Lines{"cpuset.cpus=0-1", "cpu.weight=59", "cpu.max=50000 100000"});
}

TEST_CASE("the smallest quota the kernel takes is a millisecond", "[cgroups]") {
  Limits limits;
  limits.cpus = 0.01;
  CHECK(lines(limit_writes(v1_layout(), limits, machine())).back() == "cpu.cfs_quota_us=1000");
}

TEST_CASE("pids: 0 and -1 are unlimited", "[cgroups]") {
  for (const auto& [asked, written] :
       {std::pair<std::int64_t, const char*>{32, "pids.max=32"}, {-1, "pids.max=max"}, {0, "pids.max=max"}}) {
    Limits limits;
    limits.pids = asked;
    CHECK(lines(limit_writes(v1_layout(), limits, machine())) == Lines{written});
    CHECK(lines(limit_writes(v2_layout(), limits, machine())) == Lines{written});
  }
}

TEST_CASE("devices: one write per rate, and v1 writes are said to be half a limit", "[cgroups]") {
  Limits limits;
  limits.read_bps = {{"/dev/vda", 1000}, {"/dev/vdb", 2000}};
  limits.write_iops = {{"/dev/vda", 10}};
  const LimitWrites v1 = limit_writes(v1_layout(), limits, machine());
  CHECK(lines(v1) == Lines{"blkio.throttle.read_bps_device=254:0 1000", "blkio.throttle.read_bps_device=254:16 2000",
                           "blkio.throttle.write_iops_device=254:0 10"});
  REQUIRE(v1.warnings.size() == 1);
  CHECK(v1.warnings[0].find("--device-write-iops limits direct and synchronous writes only") == 0);
  const LimitWrites v2 = limit_writes(v2_layout(), limits, machine());
  CHECK(lines(v2) == Lines{"io.max=254:0 rbps=1000", "io.max=254:16 rbps=2000", "io.max=254:0 wiops=10"});
  CHECK(v2.warnings.empty());
}

TEST_CASE("blkio weight: BFQ, io.cost, CFQ, or a sentence", "[cgroups][N2-042]") {
  Limits limits;
  limits.blkio_weight = 1000;
  Host host = machine();
  CHECK(lines(limit_writes(v1_layout(), limits, host)) == Lines{"blkio.bfq.weight=1000"});
  CHECK(lines(limit_writes(v2_layout(), limits, host)) == Lines{"io.bfq.weight=1000"});
  host.bfq_active = false;
  host.disk_example = "vda";
  CHECK(limit_writes(v1_layout(), limits, host).warnings ==
        Lines{"--blkio-weight has no effect: no disk is scheduled by BFQ (echo bfq > /sys/block/vda/queue/scheduler)"});
  host.bfq = false;
  CHECK(lines(limit_writes(v1_layout(), limits, host)).empty());
  CHECK(limit_writes(v1_layout(), limits, host).warnings.size() == 1);
  CHECK(
      limit_writes(v1_layout(), limits, host).warnings[0].find("--blkio-weight has no effect: the kernel has no BFQ scheduler") ==
      0);
  host.io_cost = true;
  CHECK(lines(limit_writes(v2_layout(), limits, host)) == Lines{"io.weight=default 10000"});
  CHECK(limit_writes(v2_layout(), limits, host).warnings.empty());
  host.cfq = true;
  CHECK(lines(limit_writes(v1_layout(), limits, host)) == Lines{"blkio.weight=1000"});
}

TEST_CASE("without hierarchies each limit is one sentence, none is dropped", "[cgroups]") {
  Limits limits;
  limits.memory = 64 << 20;
  limits.memory_swap = 100 << 20;
  limits.cpu_shares = 2;
  limits.cpus = 1;
  limits.cpuset_cpus = "0";
  limits.pids = 5;
  limits.blkio_weight = 10;
  limits.read_bps = limits.write_bps = limits.read_iops = limits.write_iops = {{"/dev/vda", 1}};
  const LimitWrites nothing = limit_writes(Layout{}, limits, machine());
  CHECK(nothing.writes.empty());
  std::set<std::string> flags;
  for (const std::string& warning : nothing.warnings) flags.insert(warning.substr(0, warning.find(' ')));
  for (const Knob& knob : knob_table()) CHECK(flags.contains(std::string(knob.flag)));
  CHECK(std::set<std::string>(nothing.warnings.begin(), nothing.warnings.end()).size() == nothing.warnings.size());
}

TEST_CASE("no limits: no writes, no words", "[cgroups]") {
  CHECK_FALSE(Limits{}.any());
  for (const Layout& layout : {v1_layout(), v2_layout(), Layout{}}) {
    CHECK(limit_writes(layout, {}, machine()).writes.empty());
    CHECK(limit_writes(layout, {}, machine()).warnings.empty());
  }
}

TEST_CASE("shares to weight: both formulas, the three points of the curve are exact", "[cgroups]") {
  CHECK(weight_from_shares(2) == 1);
  CHECK(weight_from_shares(1024) == 100);
  CHECK(weight_from_shares(262144) == 10000);
  CHECK(weight_from_shares(0) == 1);
  CHECK(linear_weight_from_shares(2) == 1);
  CHECK(linear_weight_from_shares(1024) == 39);
  CHECK(linear_weight_from_shares(262144) == 10000);
  for (std::uint64_t shares = 2; shares < 262144; shares += 97)
    REQUIRE(weight_from_shares(shares) <= weight_from_shares(shares + 97));
}

TEST_CASE("bounds are Docker's", "[cgroups]") {
  const Host host = machine();
  struct Row {
    const char* part;
    Limits limits;
  };
  const auto with = [](auto change) {
    Limits limits;
    change(limits);
    return limits;
  };
  const Row rows[] = {
      {"minimum memory limit allowed is 6MB", with([](Limits& l) { l.memory = (6 << 20) - 1; })},
      {"smaller than --memory", with([](Limits& l) { l.memory = 64 << 20, l.memory_swap = 32 << 20; })},
      {"no memory limit was given", with([](Limits& l) { l.memory_swap = 32 << 20; })},
      {"only -1", with([](Limits& l) { l.memory = 64 << 20, l.memory_swap = -2; })},
      {"2 to 262144", with([](Limits& l) { l.cpu_shares = 1; })},
      {"2 to 262144", with([](Limits& l) { l.cpu_shares = 262145; })},
      {"0.01 to 4", with([](Limits& l) { l.cpus = 4.01; })},
      {"0.01 to 4", with([](Limits& l) { l.cpus = 0; })},
      {"0.01 to 4", with([](Limits& l) { l.cpus = std::numeric_limits<double>::quiet_NaN(); })},
      {"processor 4 is not available", with([](Limits& l) { l.cpuset_cpus = "0,4"; })},
      {"not a list of processors", with([](Limits& l) { l.cpuset_cpus = "0-"; })},
      {"only -1", with([](Limits& l) { l.pids = -2; })},
      {"10 to 1000", with([](Limits& l) { l.blkio_weight = 9; })},
      {"10 to 1000", with([](Limits& l) { l.blkio_weight = 1001; })},
      {"no such block device", with([](Limits& l) {
         l.read_bps = {{"/dev/nothing", 1}};
       })},
      {"a rate of 0", with([](Limits& l) {
         l.write_iops = {{"/dev/vda", 0}};
       })},
  };
  for (const Row& row : rows) {
    INFO(row.part);
    CHECK(refused(row.limits, host, row.part));
  }
  const Limits fine = with([](Limits& l) {
    l.memory = 6 << 20, l.memory_swap = -1, l.cpu_shares = 2, l.cpus = 4, l.cpuset_cpus = "0-3", l.pids = -1, l.blkio_weight = 10;
    l.read_bps = {{"/dev/vda", 1}};
  });
  CHECK_NOTHROW(validate(fine, host));
}

TEST_CASE("processor lists", "[cgroups]") {
  CHECK(parse_cpu_list("0") == std::vector<unsigned>{0});
  CHECK(parse_cpu_list("0-2,5") == std::vector<unsigned>{0, 1, 2, 5});
  CHECK(parse_cpu_list("3,1,1-2") == std::vector<unsigned>{1, 2, 3});
  for (const char* wrong : {"", ",", "1,", "a", "1-", "-1", "2-1", "1 2", "0x1", "99999"}) {
    INFO(wrong);
    CHECK_THROWS_AS(parse_cpu_list(wrong), drydock::Error);
  }
}
