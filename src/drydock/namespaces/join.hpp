// Joining namespaces that exist, and keeping one alive without a process in it.
//
// Joining goes through one pidfd: pids are reused, a descriptor is not, and one setns() joins all kinds or none (Linux 5.8).
// A joining process is made non-dumpable first: inside, the container's root could otherwise open its memory and its
// descriptors in the moment between setns and exec (CVE-2016-9962).
//
// Example: add_join_steps(plan, Lane::joiner, pidfd, {Kind::mnt, Kind::net, Kind::uts});
//          add_pin_steps(plan, Lane::payload, "/proc/self/ns/uts", "/run/drydock/ns/uts");
// Chapter: 02, 05. Source: setns(2), namespaces(7), pidfd_open(2).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <drydock/namespaces/kinds.hpp>
#include <drydock/plan/plan.hpp>

namespace drydock::namespaces {

// The flags of `kinds` for one setns(): user must be in the same call, the kernel joins it first.
std::uint64_t flags_of(const std::vector<Kind>& kinds);

// prctl(PR_SET_DUMPABLE, 0), then setns(pidfd, flags). The pid and time namespaces take effect for children of the lane only.
// ESRCH: the container is gone. Returns the setns step.
plan::StepRef add_join_steps(plan::Plan& plan, plan::Lane lane, plan::Slot pidfd, const std::vector<Kind>& kinds);

// Bind-mounts the ns file `source` ("/proc/self/ns/uts", "/proc/123/ns/net") on the new file `target`: the namespace now lives
// as long as the mount. Undone by unmounting and unlinking. A mount namespace can be pinned only on a private mount of one with a
// lower number (EINVAL otherwise: the kernel refuses what might be a loop). That was any older one; since Linux 6.18 each processor
// hands out numbers of its own, and an older one may be refused too. Made on the same processor, they are in order.
std::vector<plan::StepRef> add_pin_steps(plan::Plan& plan, plan::Lane lane, const std::string& source, const std::string& target);

// Gives up a pinned namespace now. False when there was no such mount; the file is removed either way.
bool unpin(const std::string& target);

}  // namespace drydock::namespaces
