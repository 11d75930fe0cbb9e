// Looking at a box from outside. What is believed is the kernel: /proc of the host, and names asked for in a joined namespace.
//
// A probe is found by its contents and its words, never by what it says of itself: every process of the box is compared. While it
// is looked at, the whole box stands still, and a process that is traced is no witness.
//
// Example: const auto probe = find_probe(box, kit.probe, {"/lab/probe", "hold", token});
//          const auto seen = look(box, *probe);   // empty: it ended, or somebody traces it
// Source: proc(5), setns(2), cgroups(7) for the freezer.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <drydock/facts/snapshot.hpp>
#include <drydock/lab/box.hpp>

namespace drydock::lab {

// The process of the box whose executable has the bytes `probe` and whose command line is `words`, all of them.
std::optional<pid_t> find_probe(const Box& box, const std::string& probe, const std::vector<std::string>& words);
std::vector<pid_t> find_probes(const Box& box, const std::string& probe, const std::vector<std::string>& words);

std::optional<facts::Snapshot> look(Box& box, pid_t pid);

// The inode number of a namespace; 0 when the process is gone.
std::uint64_t namespace_of(pid_t pid, const std::string& kind);

struct UtsNames {
  std::string host, domain;
  bool operator==(const UtsNames&) const = default;
};
// As a process in the UTS namespace of `pid` sees them; empty when it is gone.
std::optional<UtsNames> uts_names(pid_t pid);
// The same of a namespace that is pinned on `path` in the root of `pid`; empty when there is none.
std::optional<UtsNames> pinned_uts_names(pid_t pid, const std::string& path);

struct Process {
  pid_t pid = 0, parent = 0;
  char state = '?';
  std::vector<pid_t> ns_pids;
};
// All descendants of pid 1 of the box, zombies too: those are in no list of a control group.
std::vector<Process> processes(const Box& box);
int zombies(const Box& box);
// It has done what it had to do, and waits for nothing any more but a signal.
bool sleeps(const Box& box, pid_t pid);

}  // namespace drydock::lab
