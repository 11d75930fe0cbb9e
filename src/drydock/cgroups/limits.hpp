// What a user may limit, in plain units; empty means "not asked for". The knob table (knobs.hpp) says which file each one is.
//
// Example: Limits limits; limits.memory = 64 << 20; limits.pids = 32;
// Source: docker-run(1) for the names; kernel documentation cgroup-v1/ and cgroup-v2.rst for the files.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace drydock::cgroups {

// A limit on one block device: `device` is a path (/dev/vda) or "major:minor".
struct DeviceRate {
  std::string device;
  std::uint64_t rate = 0;  // bytes or operations per second
};

struct Limits {
  std::optional<std::uint64_t> memory;         // bytes
  std::optional<std::int64_t> memory_swap;     // bytes of memory plus swap, -1 unlimited (Docker's meaning)
  std::optional<std::uint64_t> cpu_shares;     // 2..262144, v1 meaning; v2 gets the matching weight
  std::optional<double> cpus;                  // processors: 0.5 is half of one
  std::optional<std::string> cpuset_cpus;      // "0-1,3"
  std::optional<std::int64_t> pids;            // tasks, -1 unlimited
  std::optional<std::uint64_t> blkio_weight;   // 10..1000
  std::vector<DeviceRate> read_bps, write_bps, read_iops, write_iops;

  bool any() const;
};

}  // namespace drydock::cgroups
