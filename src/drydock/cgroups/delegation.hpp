// The part of the cgroup2 tree that an ordinary user was handed, if any: limits without root stand or fall with it.
//
// A group may be changed by the user who owns its files. A process may be born into another group only by somebody who may write
// the cgroup.procs of a group above both: so our groups go where the caller already stands, to the highest group above it that
// is the user's. systemd hands each user ".../user@UID.service"; a login by ssh or on a console stands beside that, not in it.
//
// Example: if (const auto part = choose_delegation({{"/user.slice/user@7.service", true, false, "memory pids"}}))
// use(part->group); Source: cgroups(7), "Cgroups v2 delegation"; systemd, CGROUP_DELEGATION.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace drydock::cgroups {

// A group above the caller, as the tree shows it.
struct Ancestor {
  std::string group;         // relative to the mount: "/user.slice/user@1000.service"
  bool writable = false;     // the directory, cgroup.procs and cgroup.subtree_control are the caller's to write
  bool has_members = false;  // then it can hand no controller to its children ("no internal processes")
  std::string controllers;   // cgroup.controllers: "memory pids"
};

struct Delegation {
  std::string group;
  std::vector<std::string> controllers;
};

// `ancestors` from the caller's own group upward. The highest one that the user may write and that has no members of its own, as
// far as everything below it is the user's too.
std::optional<Delegation> choose_delegation(const std::vector<Ancestor>& ancestors);

// The groups from `self` (of /proc/self/cgroup) up to the root of the tree mounted at `mount`.
std::vector<Ancestor> read_ancestors(const std::string& mount, const std::string& self);

// What gives a user such a part, and what puts a controller into it.
inline constexpr const char* remedy_no_delegation = "systemd-run --user --scope -p Delegate=yes drydock ..., or as root (sudo)";
inline constexpr const char* remedy_few_controllers =
    "printf '[Service]\\nDelegate=cpu cpuset io memory pids\\n' | sudo install -D /dev/stdin "
    "/etc/systemd/system/user@.service.d/delegate.conf && "
    "sudo systemctl daemon-reload, then log in again";

}  // namespace drydock::cgroups
