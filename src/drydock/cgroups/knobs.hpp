// The knob table: for each limit a user may ask, the file that sets it in v1, the file that sets it in v2, and the value.
//
// limit_writes() is pure: it turns limits into a list of (directory, file, value) for the layout at hand. What this machine
// cannot enforce comes back as a sentence; nothing that was asked for is dropped in silence.
//
// Example: const Host host = read_host(layout, limits);        // host.hpp
//          validate(limits, host);
//          for (const Write& write : limit_writes(layout, limits, host).writes) print(write.mount, write.file, write.value);
// Chapter: 08. Source: kernel Documentation/admin-guide/cgroup-v1/*.rst and cgroup-v2.rst; docker-run(1) for the meanings.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <drydock/cgroups/layout.hpp>
#include <drydock/cgroups/limits.hpp>

namespace drydock::cgroups {

// What decides whether a limit can be met. Filled by read_host(); in a test by hand.
struct Host {
  std::vector<unsigned> cpus = {0};            // online processors
  std::string memory_nodes = "0";              // nodes that a new cpuset may use
  bool swap = false;                           // some swap space is in use
  bool swap_accounting = true;                 // memory.memsw.* or memory.swap.* exist
  bool cpu_bandwidth = true;                   // CONFIG_CFS_BANDWIDTH
  bool bfq = false;                            // the BFQ scheduler's group policy is in the kernel
  bool bfq_active = false;                     // at least one disk is scheduled by it
  bool io_cost = false;                        // io.cost is switched on for a disk (v2 io.weight)
  bool cfq = false;                            // blkio.weight of kernels before 5.0
  std::string disk_example;                    // "vda", for the remedy
  std::map<std::string, std::string> devices;  // path as the user wrote it → "major:minor"
};

enum class Need { nothing, swap_accounting, cpu_bandwidth, bfq, plain_weight };

// One row per thing a user may ask for. An encoder returns the values to write, one each; none when it was not asked.
struct Knob {
  using Encode = std::vector<std::string> (*)(const Limits&, const Host&);
  std::string_view name;  // "memory+swap"
  std::string_view flag;  // "--memory-swap"
  std::string_view v1_controller, v1_file;
  Encode v1;
  std::string_view v2_controller, v2_file;
  Encode v2;
  Need need;      // what the kernel must have
  bool optional;  // a refusal of the kernel is recorded, not fatal
  std::string_view reason;
};
// In the order in which they must be written to a new group.
std::span<const Knob> knob_table();

struct Write {
  std::string controller;
  Version version;
  std::string mount;  // of the hierarchy
  std::string file;   // relative to the group
  std::string value;
  const Knob* knob;
};

struct LimitWrites {
  std::vector<Write> writes;
  std::vector<std::string> warnings;
};
LimitWrites limit_writes(const Layout& layout, const Limits& limits, const Host& host);

// Throws Error (refused) with the bound that was passed and what to type instead. Docker's bounds: memory of 6 MiB at least,
// memory-swap not below memory, shares 2..262144, cpus 0.01..online, weight 10..1000, devices known.
void validate(const Limits& limits, const Host& host);

// "0-2,5" → {0,1,2,5}. Throws Error (refused) on anything else.
std::vector<unsigned> parse_cpu_list(std::string_view text);

// cpu.shares (2..262144, default 1024) → cpu.weight (1..10000, default 100): the curve that maps minimum, default and maximum
// onto minimum, default and maximum: with l = log2(shares), weight = 10^((l² + 125 l)/612 - 7/34).
std::uint64_t weight_from_shares(std::uint64_t shares);
// The older straight line, 1 + (shares - 2)·9999/262142, still used by some runtimes: it makes the default 1024 a weight of 39.
std::uint64_t linear_weight_from_shares(std::uint64_t shares);

}  // namespace drydock::cgroups
