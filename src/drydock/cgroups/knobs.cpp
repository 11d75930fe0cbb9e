#include <drydock/cgroups/knobs.hpp>

#include <algorithm>
#include <cmath>

#include <drydock/kernel/error.hpp>

namespace drydock::cgroups {

bool Limits::any() const {
  return memory || memory_swap || cpu_shares || cpus || cpuset_cpus || pids || blkio_weight || !read_bps.empty() ||
         !write_bps.empty() || !read_iops.empty() || !write_iops.empty();
}

std::uint64_t weight_from_shares(std::uint64_t shares) {
  const double l = std::log2(static_cast<double>(std::clamp<std::uint64_t>(shares, 2, 262144)));
  const double weight = std::pow(10.0, (l * l + 125.0 * l) / 612.0 - 7.0 / 34.0);
  // The curve meets 1, 100 and 10000 exactly; the rounding keeps a last binary digit from making 101 of 100.
  return std::clamp<std::uint64_t>(static_cast<std::uint64_t>(std::ceil(weight - 1e-9)), 1, 10000);
}

std::uint64_t linear_weight_from_shares(std::uint64_t shares) {
  return 1 + (std::clamp<std::uint64_t>(shares, 2, 262144) - 2) * 9999 / 262142;
}

namespace {

using Values = std::vector<std::string>;

constexpr std::int64_t cfs_period_us = 100000;

std::int64_t quota_us(double cpus) {
  return std::max<std::int64_t>(1000, std::llround(cpus * static_cast<double>(cfs_period_us)));  // the kernel's least is 1 ms
}

// Memory plus swap in Docker's meaning: asked for, or twice the memory when only memory was. -1 is unlimited; 0 is "not asked".
std::int64_t memory_and_swap(const Limits& limits) {
  if (limits.memory_swap.value_or(0) != 0) return *limits.memory_swap;
  return limits.memory ? static_cast<std::int64_t>(*limits.memory) * 2 : 0;
}

Values memory(const Limits& limits, const Host&) {
  return limits.memory ? Values{std::to_string(*limits.memory)} : Values{};
}

Values swap_v1(const Limits& limits, const Host&) {
  const std::int64_t total = memory_and_swap(limits);
  return total != 0 ? Values{std::to_string(total)} : Values{};
}

// v2 counts swap alone, so the file gets the difference.
Values swap_v2(const Limits& limits, const Host&) {
  const std::int64_t total = memory_and_swap(limits);
  if (total == 0 || !limits.memory) return {};
  return {total < 0 ? "max" : std::to_string(total - static_cast<std::int64_t>(*limits.memory))};
}

Values shares_v1(const Limits& limits, const Host&) {
  return limits.cpu_shares ? Values{std::to_string(*limits.cpu_shares)} : Values{};
}

Values shares_v2(const Limits& limits, const Host&) {
  return limits.cpu_shares ? Values{std::to_string(weight_from_shares(*limits.cpu_shares))} : Values{};
}

Values period_v1(const Limits& limits, const Host&) {
  return limits.cpus ? Values{std::to_string(cfs_period_us)} : Values{};
}

Values quota_v1(const Limits& limits, const Host&) {
  return limits.cpus ? Values{std::to_string(quota_us(*limits.cpus))} : Values{};
}

Values cpu_max(const Limits& limits, const Host&) {
  return limits.cpus ? Values{std::to_string(quota_us(*limits.cpus)) + " " + std::to_string(cfs_period_us)} : Values{};
}

Values cpuset_mems(const Limits& limits, const Host& host) {
  return limits.cpuset_cpus ? Values{host.memory_nodes} : Values{};
}

Values cpuset_cpus(const Limits& limits, const Host&) {
  return limits.cpuset_cpus ? Values{*limits.cpuset_cpus} : Values{};
}

Values pids(const Limits& limits, const Host&) {
  if (!limits.pids) return {};
  return {*limits.pids <= 0 ? "max" : std::to_string(*limits.pids)};
}

Values weight(const Limits& limits, const Host&) {
  return limits.blkio_weight ? Values{std::to_string(*limits.blkio_weight)} : Values{};
}

// 10..1000 onto 1..10000.
Values io_weight(const Limits& limits, const Host&) {
  return limits.blkio_weight ? Values{"default " + std::to_string(1 + (*limits.blkio_weight - 10) * 9999 / 990)} : Values{};
}

const std::string& number_of(const Host& host, const std::string& device) {
  const auto found = host.devices.find(device);
  if (found == host.devices.end()) throw Error::refused(device, "no such block device", "lsblk shows the disks of this machine");
  return found->second;
}

template <std::vector<DeviceRate> Limits::*member>
Values rates_v1(const Limits& limits, const Host& host) {
  Values values;
  for (const DeviceRate& rate : limits.*member) values.push_back(number_of(host, rate.device) + " " + std::to_string(rate.rate));
  return values;
}

void add_io_max(Values& values, const std::vector<DeviceRate>& rates, const char* key, const Host& host) {
  for (const DeviceRate& rate : rates)
    values.push_back(number_of(host, rate.device) + " " + key + "=" + std::to_string(rate.rate));
}

template <std::vector<DeviceRate> Limits::*member>
Values rates_v2(const Limits& limits, const Host& host) {
  constexpr const char* key = member == &Limits::read_bps    ? "rbps"
                              : member == &Limits::write_bps ? "wbps"
                              : member == &Limits::read_iops ? "riops"
                                                             : "wiops";
  Values values;
  add_io_max(values, limits.*member, key, host);
  return values;
}

Values never(const Limits&, const Host&) {
  return {};
}

constexpr Knob table[] = {
    {"cpuset memory nodes", "--cpuset-cpus", "cpuset", "cpuset.mems", cpuset_mems, "cpuset", "cpuset.mems", never, Need::nothing,
     false, "a v1 cpuset is born empty and takes no process before it has nodes"},
    {"cpuset", "--cpuset-cpus", "cpuset", "cpuset.cpus", cpuset_cpus, "cpuset", "cpuset.cpus", cpuset_cpus, Need::nothing, false,
     "only these processors"},
    {"memory", "--memory", "memory", "memory.limit_in_bytes", memory, "memory", "memory.max", memory, Need::nothing, false,
     "more than this ends in the OOM killer"},
    {"memory+swap", "--memory-swap", "memory", "memory.memsw.limit_in_bytes", swap_v1, "memory", "memory.swap.max", swap_v2,
     Need::swap_accounting, true, "v1 limits the sum and wants it after memory; v2 limits swap alone"},
    {"cpu shares", "--cpu-shares", "cpu", "cpu.shares", shares_v1, "cpu", "cpu.weight", shares_v2, Need::nothing, false,
     "a share of contended time, no ceiling"},
    {"cpu period", "--cpus", "cpu", "cpu.cfs_period_us", period_v1, "cpu", "cpu.max", never, Need::cpu_bandwidth, false,
     "the window in which the quota is counted"},
    {"cpus", "--cpus", "cpu", "cpu.cfs_quota_us", quota_v1, "cpu", "cpu.max", cpu_max, Need::cpu_bandwidth, false,
     "a ceiling, also on an idle machine"},
    {"pids", "--pids-limit", "pids", "pids.max", pids, "pids", "pids.max", pids, Need::nothing, false,
     "a fork bomb ends in EAGAIN"},
    {"blkio weight", "--blkio-weight", "blkio", "blkio.bfq.weight", weight, "io", "io.bfq.weight", weight, Need::bfq, false,
     "a share of contended disk time, by the BFQ scheduler"},
    {"blkio weight", "--blkio-weight", "blkio", "blkio.weight", weight, "io", "io.weight", io_weight, Need::plain_weight, false,
     "a share of contended disk time, by CFQ (v1) or io.cost (v2)"},
    {"read bytes", "--device-read-bps", "blkio", "blkio.throttle.read_bps_device", rates_v1<&Limits::read_bps>, "io", "io.max",
     rates_v2<&Limits::read_bps>, Need::nothing, false, "bytes per second"},
    {"write bytes", "--device-write-bps", "blkio", "blkio.throttle.write_bps_device", rates_v1<&Limits::write_bps>, "io",
     "io.max", rates_v2<&Limits::write_bps>, Need::nothing, false, "bytes per second; v1 counts direct writes only"},
    {"read operations", "--device-read-iops", "blkio", "blkio.throttle.read_iops_device", rates_v1<&Limits::read_iops>, "io",
     "io.max", rates_v2<&Limits::read_iops>, Need::nothing, false, "operations per second"},
    {"write operations", "--device-write-iops", "blkio", "blkio.throttle.write_iops_device", rates_v1<&Limits::write_iops>, "io",
     "io.max", rates_v2<&Limits::write_iops>, Need::nothing, false, "operations per second; v1 counts direct writes only"},
};

}  // namespace

std::span<const Knob> knob_table() {
  return table;
}

}  // namespace drydock::cgroups
