// What a user may ask of a container: one struct that the command line, Python and OCI configuration all fill.
//
// A spec is plain data and names nothing of the machine it will run on: no descriptor, no pid, no resolved path.
//
// Example: Spec spec; spec.image = "busybox"; spec.command = {"echo", "hello"}; spec.limits.memory = 64 << 20;
// Source: docker-run(1) for the names and defaults.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <drydock/cgroups/limits.hpp>
#include <drydock/network/names.hpp>

namespace drydock::container {

enum class MountType { bind, volume, tmpfs };

struct MountSpec {
  MountType type = MountType::bind;
  std::string source;       // host path (bind) or volume name; empty for tmpfs and anonymous volumes
  std::string target;       // absolute path in the container
  bool read_only = false;
  bool recursive = true;    // bind: rbind
  std::string propagation = "rprivate";  // private, slave, shared and their r-forms
  std::string tmpfs_options;             // "size=64m,mode=1777"
  std::optional<std::uint64_t> tmpfs_size;  // bytes
};

struct PortSpec {
  std::string host_address;  // empty: every address, v4 and v6
  std::uint16_t host_port = 0;  // 0: a free one is chosen
  std::uint16_t container_port = 0;
  bool udp = false;
};

enum class NetworkMode { bridge, none, host, container, slirp };  // slirp: by slirp4netns, for containers without root

struct NetworkSpec {
  NetworkMode mode = NetworkMode::bridge;
  std::string peer;                       // container:ID
  std::optional<std::string> address;     // --ip
  std::vector<std::string> dns;
  std::vector<network::HostEntry> hosts;  // --add-host NAME:ADDRESS
  std::vector<PortSpec> ports;
};

struct UlimitSpec {
  int resource = 0;  // RLIMIT_*
  std::uint64_t soft = 0;
  std::uint64_t hard = 0;
};

struct SecuritySpec {
  std::vector<std::string> cap_add, cap_drop;  // "NET_ADMIN", "CAP_NET_ADMIN", "ALL"
  bool privileged = false;
  bool no_new_privileges = false;
  std::string seccomp = "default";  // "default", "unconfined" or the path of a profile
  std::vector<UlimitSpec> ulimits;
};

struct IdRange {
  std::uint32_t inside = 0, outside = 0, count = 0;
};

struct UserNamespaceSpec {
  bool enabled = false;
  std::vector<IdRange> uids, gids;  // empty with enabled: the default range of the machine (100000, 65536)
};

struct Spec {
  std::string image;
  std::string name;      // empty: one is made up
  std::string hostname;  // empty: the first 12 digits of the id
  std::optional<std::vector<std::string>> entrypoint;  // set: replaces the image's (may be empty)
  std::vector<std::string> command;                    // empty: the image's Cmd
  std::vector<std::string> env;                        // "NAME=value"
  std::string working_directory;                       // empty: the image's, else "/"
  std::string user;                                    // "name|uid[:group|gid]"; empty: the image's, else root
  bool interactive = false;  // -i: standard input stays open
  bool terminal = false;     // -t
  bool detach = false;       // -d
  bool remove = false;       // --rm
  bool init = false;         // --init: pid 1 reaps and forwards
  bool read_only = false;    // --read-only root
  std::vector<MountSpec> mounts;
  cgroups::Limits limits;
  NetworkSpec network;
  SecuritySpec security;
  UserNamespaceSpec userns;
  std::map<std::string, std::string> labels;
};

// JSON both ways (kept in the ledger, shown by inspect); `indent` in blanks, -1 for one line. Throws Error on a field of the
// wrong type.
std::string to_json(const Spec& spec, int indent = 2);
Spec spec_from_json(const std::string& text);

}  // namespace drydock::container
