// The steps of a launch plan that give a container its network: the shared bridge, and the container's own link.
//
// Order matters twice. The bridge is set up last of the shared things (NAT, forwarding, address, then IFF_UP), so a bridge
// that is up says that all the rest was done. And the payload's steps come after the veth step: its socket in the new
// namespace finds eth0 only then. Let them come late in the payload's lane: making the pair takes the monitor a quarter of a
// millisecond under the lock of all links (rtnl), in which the payload can mount but not speak rtnetlink.
//
// Example: HostNetwork host = inspect_host(config);                     // after Pool::lease
//          Bridge bridge = add_bridge_steps(plan, config, host, release);
//          StepRef pair = add_container_link_step(plan, config, bridge, link);   // link: {veth_name(id), address, child}
//          add_container_address_steps(plan, config, link, pair);
// Source: docs/architecture.md; ip_forward in the kernel documentation networking/ip-sysctl.rst. Chapter 10.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <drydock/network/links.hpp>
#include <drydock/network/messages.hpp>
#include <drydock/network/nat.hpp>
#include <drydock/network/pool.hpp>
#include <drydock/network/subnet.hpp>
#include <drydock/plan/plan.hpp>

namespace drydock::network {

// What is on the host already; the default says "nothing", which is what a plan that is only printed assumes.
struct HostNetwork {
  bool bridge_ready = false;  // ours, up, with its address
  int bridge_index = 0;
  bool nat_ready = false;
  bool nat_stale = false;  // a table of ours for another subnet: it is replaced
  bool forwarding = false;
};

// Reads it from the caller's network namespace. Throws Error when the name of the bridge or of the NAT table is taken by
// somebody else, when the subnet overlaps a route of the host, or when the kernel has no nf_tables.
HostNetwork inspect_host(const BridgeConfig& config);

struct Bridge {
  plan::Slot socket;  // NETLINK_ROUTE, of the monitor
  Value index = 0;
  plan::StepRef ready;  // the last step of the bring-up
};

// Monitor lane. `release` (ops::release_network with teardown()) becomes the undo of the first step, so it runs last.
Bridge add_bridge_steps(plan::Plan& plan, const BridgeConfig& config, const HostNetwork& host,
                        std::optional<plan::Call> release = {});

struct ContainerLink {
  std::string host_name;  // veth_name(id)
  Ipv4 address;
  plan::Slot child;  // pid of the payload
};

// Monitor lane: the veth pair.
plan::StepRef add_container_link_step(plan::Plan& plan, const BridgeConfig& config, const Bridge& bridge,
                                      const ContainerLink& link);
// Payload lane: lo, address, eth0, default route. `pair` is the veth step.
void add_container_address_steps(plan::Plan& plan, const BridgeConfig& config, const ContainerLink& link, plan::StepRef pair);

// The payload brings up lo, nothing else: all of network none. `after`: a step of the monitor that it waits for.
void add_loopback_steps(plan::Plan& plan, plan::StepRef after = {});

}  // namespace drydock::network
