// The plan of a container, and of a program in a running one: pure functions of what is asked and what the machine is.
//
// Example: plan::Plan plan = container_plan(spec, host).plan;   // makes no system call
// Source: docs/architecture.md; the order of the steps and its reasons stand in plan.cpp.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <drydock/cgroups/knobs.hpp>
#include <drydock/cgroups/layout.hpp>
#include <drydock/container/container.hpp>
#include <drydock/container/spec.hpp>
#include <drydock/image/store.hpp>
#include <drydock/namespaces/id_map.hpp>
#include <drydock/network/bridge.hpp>
#include <drydock/network/subnet.hpp>
#include <drydock/plan/serialise.hpp>

namespace drydock::container {

// A running process that is to be joined.
struct Peer {
  pid_t pid = 0;
  std::uint64_t start = 0;  // clock ticks since boot
};

// Everything that container_plan knows of the machine. Filled by read_host (host.hpp); in a test by hand.
struct Host {
  std::string id;                // of the container, 64 hexadecimal digits
  Paths paths;
  std::string ledgers;           // directory of the ledgers of this host
  std::string pool;              // file of the address pool
  image::Image image;
  unsigned euid = 0, egid = 0;
  cgroups::Layout layout;
  cgroups::Host limits;          // what can be enforced
  network::BridgeConfig bridge;
  network::HostNetwork network;
  std::optional<network::Ipv4> address;
  std::optional<Peer> peer;      // --network container:ID
  std::uint64_t capabilities = 0;             // what the caller could hand on
  std::vector<std::uint64_t> hard_limits;     // of spec.security.ulimits, one each
  std::string seccomp_program;                // empty: unconfined
  std::string resolv_conf;                    // the host's text
  std::map<std::string, bool> source_is_file; // of bind sources
  namespaces::Maps default_maps;              // of --userns without a map
  std::vector<namespaces::SubIds> subuids, subgids;  // granted to this user
  bool appended_layers = true;                // overlayfs knows lowerdir+ (Linux 6.7)
  bool mapped_layers = true;                  // and stacks id-mapped layers (Linux 5.19)
  bool layers_by_descriptor = true;           // and takes descriptors of mounts that are attached nowhere (Linux 6.13)
  std::uint16_t rows = 0, columns = 0;        // the caller's terminal
  int linger_ms = 400;
};

struct ContainerPlan {
  plan::Plan plan;
  plan::Settings settings;             // what the monitor must know beside the steps
  std::vector<std::string> cgroups;    // directories of the container's groups
  std::vector<std::string> command;    // what will be executed
};

ContainerPlan container_plan(const Spec& spec, const Host& host);

// A program in the container `target`.
ContainerPlan exec_plan(const Record& target, const ExecSpec& spec, const Host& host);

// Entrypoint and command as Docker combines them. Throws Error when there is nothing to execute.
std::vector<std::string> command_of(const Spec& spec, const image::Config& config);
// PATH, HOSTNAME, TERM, then the image's, then the user's; the last of a name wins.
std::vector<std::string> environment_of(const std::vector<std::string>& image, const std::vector<std::string>& user, const std::string& hostname,
                                        bool terminal);

}  // namespace drydock::container
