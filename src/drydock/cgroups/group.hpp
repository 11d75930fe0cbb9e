// A container's groups while it runs: what it uses, what happened to it, and how to stop it.
//
// One Group stands for the directories of one container in all hierarchies (GroupPlan::directories). Each question goes to the
// hierarchy that can answer it; the caller does not see which. Nothing is kept open: a group may vanish at any time.
//
// Example: Group group(read_layout(), record.cgroups);
//          if (group.events().oom_kills > 0) say("killed for using more memory than its limit");
//          group.kill(); group.wait_empty(1000); group.remove();
// Chapter: 08. Source: kernel Documentation/admin-guide/cgroup-v1/{memory,pids,cpuacct,freezer-subsystem}.rst, cgroup-v2.rst.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <drydock/cgroups/knobs.hpp>

namespace drydock::cgroups {

// Empty members: no hierarchy of this group can say.
struct Usage {
  std::optional<std::uint64_t> memory_bytes, memory_peak_bytes;
  std::optional<std::uint64_t> memory_limit_bytes;       // empty when unlimited
  std::optional<std::uint64_t> cpu_ns;                   // user and system together
  std::optional<std::uint64_t> tasks, tasks_limit;       // limit empty when unlimited
  std::optional<std::uint64_t> read_bytes, write_bytes;  // only with a group in blkio or io
};

struct Events {
  std::uint64_t oom_kills = 0;      // members killed because the group was out of memory
  std::uint64_t fork_failures = 0;  // forks refused by pids.max
  std::uint64_t periods = 0, throttled_periods = 0;
  std::uint64_t throttled_ns = 0;
};

class Group {
 public:
  // Directories that no longer exist are fine.
  Group(Layout layout, std::vector<std::string> directories);

  bool exists() const;
  Usage usage() const;
  Events events() const;
  // Pids as this process sees them, each once, children of the group included.
  std::vector<pid_t> pids() const;

  // Writes new limits to the group as it runs; a limit whose hierarchy has no group of this container is a warning.
  // Throws Error (EBUSY) for a memory limit below what is in use and cannot be reclaimed.
  std::vector<std::string> set(const Limits& limits, const Host& host);

  // Stops every member and returns when they stand still. Throws Error (refused) when no hierarchy can, or after 2 s.
  void freeze();
  void thaw();
  bool frozen() const;

  // SIGKILL to every member, also to those being forked meanwhile: cgroup.kill (Linux 5.14), else freeze, kill, thaw, else
  // kill until nobody is left. Members may take a moment to be gone.
  void kill();
  // False when members are left after the time.
  bool wait_empty(int timeout_ms) const;
  // Removes the directories and those that the container made below them; missing ones are fine.
  // Throws Error (EBUSY) when members are left after 1 s: a member that has just died leaves a little later.
  void remove();

 private:
  // Directory that answers for `controller`; empty when there is none.
  std::string directory_of(std::string_view controller) const;
  std::string cgroup2_directory() const;
  std::optional<std::string> read(std::string_view controller, const char* v1_file, const char* v2_file) const;
  bool is_v2(std::string_view controller) const;
  std::uint64_t fork_failures() const;
  void write_freezer(bool freeze);

  Layout layout_;
  std::vector<std::string> directories_;
};

// Value of "key value" in a flat keyed file (cpu.stat, memory.events); empty when there is no such key.
std::optional<std::uint64_t> keyed_value(std::string_view text, std::string_view key);

}  // namespace drydock::cgroups
