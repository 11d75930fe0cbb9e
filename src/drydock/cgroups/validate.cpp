// validate(): the bounds of what a user may ask, with Docker's numbers.
#include <fmt/format.h>
#include <algorithm>
#include <charconv>

#include <drydock/cgroups/knobs.hpp>
#include <drydock/kernel/error.hpp>

namespace drydock::cgroups {

namespace {

constexpr std::uint64_t mebibyte = 1024 * 1024;

void validate_memory(const Limits& limits) {
  if (limits.memory && *limits.memory < 6 * mebibyte)
    throw Error::refused("--memory " + std::to_string(*limits.memory), "minimum memory limit allowed is 6MB",
                         "ask for 6m or more");
  const std::int64_t swap = limits.memory_swap.value_or(0);
  if (swap == 0) return;
  if (swap < -1) throw Error::refused("--memory-swap " + std::to_string(swap), "only -1 (unlimited) may be negative");
  if (!limits.memory)
    throw Error::refused("--memory-swap", "it is the sum of memory and swap, and no memory limit was given", "add --memory");
  if (swap > 0 && static_cast<std::uint64_t>(swap) < *limits.memory)
    throw Error::refused("--memory-swap " + std::to_string(swap),
                         "it is the sum of memory and swap, and smaller than --memory " + std::to_string(*limits.memory),
                         "give the sum, or -1 for unlimited swap");
}

void validate_cpu(const Limits& limits, const Host& host) {
  if (limits.cpu_shares && (*limits.cpu_shares < 2 || *limits.cpu_shares > 262144))
    throw Error::refused("--cpu-shares " + std::to_string(*limits.cpu_shares), "the range is 2 to 262144", "the default is 1024");
  if (limits.cpus && !(*limits.cpus >= 0.01 && *limits.cpus <= static_cast<double>(host.cpus.size())))
    throw Error::refused(fmt::format("--cpus {}", *limits.cpus),
                         fmt::format("the range is 0.01 to {}, the processors of this machine", host.cpus.size()),
                         fmt::format("ask for {} or less; 0.5 is half of one", host.cpus.size()));
  if (!limits.cpuset_cpus) return;
  for (const unsigned cpu : parse_cpu_list(*limits.cpuset_cpus))
    if (std::find(host.cpus.begin(), host.cpus.end(), cpu) == host.cpus.end())
      throw Error::refused("--cpuset-cpus " + *limits.cpuset_cpus, fmt::format("processor {} is not available", cpu),
                           fmt::format("this machine has {} (see /sys/devices/system/cpu/online)", host.cpus.size()));
}

void validate_devices(const std::vector<DeviceRate>& rates, const char* flag, const Host& host) {
  for (const DeviceRate& rate : rates) {
    if (!host.devices.contains(rate.device))
      throw Error::refused(std::string(flag) + " " + rate.device, "no such block device",
                           "lsblk shows the disks of this machine");
    if (rate.rate == 0)
      throw Error::refused(std::string(flag) + " " + rate.device, "a rate of 0 would stop the device", "ask for 1 or more");
  }
}

}  // namespace

std::vector<unsigned> parse_cpu_list(std::string_view text) {
  const auto fail = [&] {
    return Error::refused("--cpuset-cpus " + std::string(text), "not a list of processors", "write it as 0-2,5");
  };
  std::vector<unsigned> cpus;
  const char* at = text.data();
  const char* const end = text.data() + text.size();
  const auto number = [&] {
    unsigned value = 0;
    const auto [next, error] = std::from_chars(at, end, value);
    if (error != std::errc{} || value > 8191) throw fail();
    at = next;
    return value;
  };
  for (;;) {
    const unsigned first = number();
    unsigned last = first;
    if (at != end && *at == '-') {
      ++at;
      last = number();
    }
    if (last < first) throw fail();
    for (unsigned cpu = first; cpu <= last; ++cpu) cpus.push_back(cpu);
    if (at == end) break;
    if (*at++ != ',') throw fail();
  }
  std::sort(cpus.begin(), cpus.end());
  cpus.erase(std::unique(cpus.begin(), cpus.end()), cpus.end());
  return cpus;
}

void validate(const Limits& limits, const Host& host) {
  validate_memory(limits);
  validate_cpu(limits, host);
  if (limits.pids && *limits.pids < -1)
    throw Error::refused("--pids-limit " + std::to_string(*limits.pids), "only -1 (unlimited) may be negative");
  if (limits.blkio_weight && (*limits.blkio_weight < 10 || *limits.blkio_weight > 1000))
    throw Error::refused("--blkio-weight " + std::to_string(*limits.blkio_weight), "the range is 10 to 1000");
  validate_devices(limits.read_bps, "--device-read-bps", host);
  validate_devices(limits.write_bps, "--device-write-bps", host);
  validate_devices(limits.read_iops, "--device-read-iops", host);
  validate_devices(limits.write_iops, "--device-write-iops", host);
}

}  // namespace drydock::cgroups
