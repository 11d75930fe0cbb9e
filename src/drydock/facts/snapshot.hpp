// What the kernel says about one process: its namespaces, ids, mounts, capabilities, groups, network, descriptors and limits.
//
// Everything is read from procfs and cgroupfs; nothing is joined, traced or changed. /proc/PID/net shows the network
// namespace of PID, so links and addresses need no setns(2). What may not be read stays empty and has a note saying why.
//
// Example: facts::Snapshot snapshot = facts::take(pid);
//          if (snapshot.namespaces["net"] != facts::take(getpid()).namespaces["net"]) ...
//          std::string text = facts::to_text(snapshot), json = facts::to_json(snapshot);
// Source: proc(5), namespaces(7), user_namespaces(7), capabilities(7), cgroups(7), sysctl.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace drydock::facts {

struct IdMapLine {
  std::uint32_t inside = 0, outside = 0, count = 0;  // `outside` as the reader's user namespace sees it
};

struct Mount {
  int id = 0, parent = 0;
  std::string device;       // "8:1"
  std::string root;         // of the file system, what is mounted: "/" or a directory of a bind mount
  std::string target;       // as the process sees it
  std::string options;      // per mount: "rw,nosuid"
  std::string propagation;  // "private", "shared:1", "master:2", "unbindable"; several joined by ","
  std::string type, source;
  std::string super_options;
};

struct Capabilities {  // bit n is capability n
  std::uint64_t inheritable = 0, permitted = 0, effective = 0, bounding = 0, ambient = 0;
};

struct CgroupFact {
  int hierarchy = 0;                          // 0: version 2
  std::string controllers;                    // "memory", "cpu,cpuacct", "name=systemd"; empty on version 2
  std::string path;                           // as the reader's cgroup namespace sees it
  std::string directory;                      // where its files are; empty when the hierarchy is not mounted here
  std::map<std::string, std::string> limits;  // file -> content, lines joined by "; "
};

struct Link {
  std::string name;
  std::uint64_t received_bytes = 0, sent_bytes = 0;
};

struct Address {
  std::string link;     // empty when no connected route tells
  std::string address;  // "172.29.0.2/24", "::1/128"
};

struct Route {
  std::string destination;  // "0.0.0.0/0"
  std::string gateway;      // empty: on the link itself
  std::string link;
};

struct Descriptor {
  int number = 0;
  std::string target;  // "/dev/null", "pipe:[123]", "socket:[456]"
};

struct Rlimit {
  std::string name;        // as in /proc/PID/limits: "Max open files"
  std::string soft, hard;  // a number or "unlimited"
  std::string unit;        // "files", "bytes", may be empty
};

struct Note {
  std::string fact, why;
};

struct Status {  // the fields of /proc/PID/status that a container changes
  std::string name, state;
  pid_t parent = 0;
  int threads = 0;
  std::vector<pid_t> ns_pids;                   // outermost namespace of the reader first
  std::array<std::uint32_t, 4> uids{}, gids{};  // real, effective, saved, file system
  std::vector<std::uint32_t> groups;
  Capabilities capabilities;
  bool no_new_privs = false;
  int seccomp = 0;                     // 0 off, 1 strict, 2 filter
  std::optional<int> seccomp_filters;  // Linux >= 5.9
};

struct Snapshot {
  pid_t pid = 0;
  std::uint64_t start_time = 0;  // clock ticks since boot; with the pid it identifies the process
  Status status;
  std::vector<std::string> command_line;
  std::string executable, working_directory, root;
  std::map<std::string, std::uint64_t> namespaces;  // kind -> inode number
  std::vector<IdMapLine> uid_map, gid_map;
  std::string setgroups;                // "allow" or "deny"
  std::optional<std::string> hostname;  // only when the process shares our UTS namespace: procfs shows no other
  std::vector<Mount> mounts;
  std::vector<CgroupFact> cgroups;
  std::vector<Link> links;
  std::vector<Address> addresses;
  std::vector<Route> routes;
  std::vector<Descriptor> descriptors;
  std::vector<Rlimit> rlimits;
  std::optional<int> oom_score_adj;
  std::vector<Note> notes;  // what could not be read, and why
};

// Error when there is no such process, or it ended while it was looked at. Facts that this user may not read become notes.
Snapshot take(pid_t pid);

// The state of seccomp in words: "off", "strict", "filter".
std::string seccomp_words(int mode);
// "all 41" when every capability the kernel knows is in the set, "none", "all but SYS_TIME", else names: "CHOWN KILL".
std::string capability_words(std::uint64_t set);

}  // namespace drydock::facts
