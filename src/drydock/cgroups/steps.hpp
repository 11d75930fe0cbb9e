// Control groups as steps of a launch plan: make the groups, set the limits, and let the payload in.
//
// Who joins how decides the speed of a start. Writing somebody else's pid, or anything to cgroup.procs, takes a lock for
// writing that waits for an RCU grace period: 5 to 20 ms on an idle machine. A process that writes "0" to the v1 `tasks` file
// of its own group takes no such lock (12 µs), and a child born by clone3(CLONE_INTO_CGROUP) never moves at all.
//
// Example: GroupPlan group = add_group_steps(plan, layout, id, limit_writes(layout, limits, host), {});
//          plan.monitor("clone", ops::clone3(flags, group.cgroup2, int(Lane::payload)));
//          add_attach_steps(plan, group, Lane::payload);      // early
//          add_cpu_attach_step(plan, group, Lane::payload);   // last of all, before the user and the capabilities change
// Chapter: 08, 12. Source: cgroups(7), clone(2); kernel/cgroup/cgroup.c, cgroup_attach_lock().
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <drydock/cgroups/knobs.hpp>
#include <drydock/plan/plan.hpp>

namespace drydock::cgroups {

struct GroupOptions {
  bool device_rules = true;  // false for --privileged: every device
};

// A v1 group that the payload joins by itself.
struct Attach {
  std::string controllers;  // "memory", or "cpu,cpuacct" where they share a mount
  plan::Slot directory;
};

struct GroupPlan {
  plan::Slot cgroup2;                    // descriptor for clone3; invalid where there is no cgroup2 tree
  std::vector<std::string> directories;  // absolute, one per hierarchy: what Group, exec and the ledger need
  std::vector<plan::StepRef> steps;
  std::vector<Attach> attaches;  // cpu is the last one
};

// Monitor lane: one directory per needed hierarchy (undone by remove_cgroup), limits, and a descriptor of each directory.
// Groups are made for memory, pids, cpu and devices; for cpuacct and freezer only without a cgroup2 tree, which counts time
// and freezes as well; for others only when `limits` write there. The warnings of `limits` are added to the plan's.
// On v2 the group has a child `payload` that the process lives in: a group that hands its controllers on cannot lose them
// (systemd takes controllers back from the root when no unit of its own wants them), and the container, whose cgroup
// namespace begins at `payload`, never sees the files with its own limits.
GroupPlan add_group_steps(plan::Plan& plan, const Layout& layout, const std::string& id, const LimitWrites& limits,
                          const GroupOptions& options);

// "0" into the `tasks` file of each v1 group but cpu's, by descriptor: the payload may have left the host's tree.
// The lane must still be the user who made the groups (root), single-threaded, and before CLONE_NEWCGROUP is unshared.
std::vector<plan::StepRef> add_attach_steps(plan::Plan& plan, const GroupPlan& group, plan::Lane lane);
// The cpu group: last before the user changes, because with few shares the rest of the set-up would crawl.
// Empty when there is no v1 cpu hierarchy.
std::optional<plan::StepRef> add_cpu_attach_step(plan::Plan& plan, const GroupPlan& group, plan::Lane lane);

// The file of the group whose line "oom_kill" counts members killed for want of memory; empty where no hierarchy counts it.
std::string oom_file(const Layout& layout, const std::vector<std::string>& directories);

struct JoinPlan {
  plan::Slot cgroup2;  // for clone3; invalid where there is no cgroup2 tree
  std::vector<plan::StepRef> steps;
};

// For exec: joins the existing groups `directories` (of a GroupPlan). The cgroup2 descriptor is opened in the monitor lane, the
// v1 groups are joined by path in `lane`, which must still see the host's tree. ENOENT and ENODEV mean that the container is
// gone.
JoinPlan add_join_steps(plan::Plan& plan, const Layout& layout, const std::vector<std::string>& directories, plan::Lane lane);

// The directory that processes live in: `directory` itself on v1, its child `payload` where v2 controllers are in use.
std::string member_directory(const Layout& layout, const std::string& directory);

}  // namespace drydock::cgroups
