// The eight kinds of namespaces: name, clone flag, file under /proc/PID/ns, and the number that tells two apart.
//
// Two processes are in the same namespace when the inode numbers of their ns files are equal: the text of the link,
// "uts:[4026531838]", holds it.
//
// Example: if (id_of(pid, Kind::net) == id_of(sys::getpid(), Kind::net)) say("shares the host's network");
// Chapter: 02 to 07. Source: namespaces(7), proc_pid_ns(5), ioctl_ns(2).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace drydock::namespaces {

enum class Kind : std::uint8_t { mnt, pid, net, ipc, uts, user, cgroup, time };

struct KindInfo {
  Kind kind;
  std::string_view name;      // "mnt", as under /proc/PID/ns
  std::uint64_t flag;         // CLONE_NEWNS
  std::string_view isolates;  // one clause
  std::string_view since;     // the kernel that has it complete
};
std::span<const KindInfo> all_kinds();
const KindInfo& info(Kind kind);
// "mnt", "mount" and "network" too; empty when there is no such kind.
std::optional<Kind> kind_named(std::string_view name);

// "/proc/PID/ns/mnt"; `pid` 0 is the caller.
std::string path_of(pid_t pid, Kind kind);
// The inode number out of "uts:[4026531838]"; empty when the text is something else.
std::optional<std::uint64_t> parse_id(std::string_view link);
// Throws Error: ENOENT when there is no such process (or the kernel lacks this kind), EACCES without the right to look.
std::uint64_t id_of(pid_t pid, Kind kind);
// All that can be read; a process that is gone gives an empty map.
std::map<Kind, std::uint64_t> ids_of(pid_t pid);

// Which flags go into the first clone, and which must wait. `first` | `later` is what was wanted.
//  - cgroup waits on v1 until the process has joined its groups: the namespace's root is where the process is then.
//  - ipc waits in a new user namespace until the ids are mapped: its mqueue file system belongs to whoever makes it.
// A pid namespace never waits: unshare() would move only children of the process into it.
struct CloneSplit {
  std::uint64_t first = 0;
  std::uint64_t later = 0;
  bool operator==(const CloneSplit&) const = default;
};
CloneSplit split_clone_flags(std::uint64_t wanted, bool born_in_cgroup);

}  // namespace drydock::namespaces
