// Which id inside a user namespace is which id outside, and who may say so.
//
// The kernel takes uid_map and gid_map once, from three writers: the process itself (one line, its own id), a privileged process
// outside (anything), or the setuid helpers newuidmap and newgidmap (ranges granted in /etc/subuid and /etc/subgid). Which writer
// is legal is a pure function of the ids, so it is decided, and explained, before anything is created.
//
// Example: const std::vector<IdMap> uids = {{0, 100000, 65536}};
//          const MapWriter writer = choose_writer(0, uids, {});   // parent
//          add_map_steps(plan, writer, child, {uids, gids});
// Chapter: 07. Source: user_namespaces(7), newuidmap(1), subuid(5), CVE-2014-8989.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <drydock/plan/plan.hpp>

namespace drydock::namespaces {

struct IdMap {
  std::uint32_t inside = 0;
  std::uint32_t outside = 0;
  std::uint32_t count = 0;
  bool operator==(const IdMap&) const = default;
};

struct Maps {
  std::vector<IdMap> uids, gids;
};

// A range granted to a user.
struct SubIds {
  std::uint32_t start = 0;
  std::uint32_t count = 0;
  bool operator==(const SubIds&) const = default;
};

// The ranges of a user in the text of /etc/subuid or /etc/subgid: lines "name-or-uid:start:count". Lines that are not of this
// form are passed over, as newuidmap does.
std::vector<SubIds> parse_sub_ids(std::string_view text, std::string_view user, std::uint32_t uid);

// "0 100000 65536\n" per line: the text of uid_map. Throws Error (refused) where the kernel would say only EINVAL: no line, more
// than 340, a count of 0, a range past 2^32-1, ranges that overlap inside or outside.
std::string map_text(const std::vector<IdMap>& map);

enum class MapWriter { self, parent, helper };
std::string_view writer_name(MapWriter writer);

// Who may write `map` for a child of a process with effective id `euid` and the granted ranges `granted`.
// Throws Error (refused) when nobody may, naming the range and the command that grants it.
MapWriter choose_writer(std::uint32_t euid, const std::vector<IdMap>& map, const std::vector<SubIds>& granted);

// For both maps at once: the helper as soon as one of the two needs it. A user whose primary group is 0 is not root.
MapWriter choose_writer(std::uint32_t euid, std::uint32_t egid, const Maps& maps, const std::vector<SubIds>& subuids,
                        const std::vector<SubIds>& subgids);

// What --userns means when no map is given. Root: 0 is the start of the granted range, or 100000, for 65536 ids.
// Others: 0 is the user itself, and 1... the granted range; one id without one.
std::vector<IdMap> default_map(std::uint32_t euid, const std::vector<SubIds>& granted);

// What /etc/subuid and /etc/subgid grant to a user of this machine; subgid(5) names users too, not groups.
std::vector<SubIds> granted_subuids(std::uint32_t uid);
std::vector<SubIds> granted_subgids(std::uint32_t uid);
// Of the users of this machine: default_map() with /etc/subuid and /etc/subgid.
Maps default_maps_of(std::uint32_t euid, std::uint32_t egid);

// setgroups (where the rule asks for it), gid_map, uid_map. `self`: written by the payload lane; the others by the monitor lane
// with the pid of `child`. Returns the last step: the payload must not change its ids before it (tie it by `after`).
// The rule of CVE-2014-8989: an unprivileged writer must first give up setgroups, else a process could drop a group that is
// there to deny it something.
plan::StepRef add_map_steps(plan::Plan& plan, MapWriter writer, plan::Slot child, const Maps& maps);

}  // namespace drydock::namespaces
