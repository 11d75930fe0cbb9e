// Published ports: the sockets that reserve them, the translation rules, and the proxy for what cannot be translated.
//
// The listening sockets come first in a plan, so "port in use" is the first thing a user hears, before anything was made.
// They listen on all addresses (v4 and v6) unless one was asked for. Packets to a v4 address of the host that is not loopback
// are translated by nftables before they reach a socket; loopback and IPv6 are served by the proxy lane, which holds
// the sockets.
//
// Example: Listeners listeners = add_port_listeners(plan, ports);            // before everything else
//          add_port_steps(plan, config, listeners, ports, id, address, veth);  // after the veth step
// Source: docker-run(1), "--publish"; CVE-2020-8558 for why route_localnet is never set.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <drydock/network/nat.hpp>
#include <drydock/plan/plan.hpp>

namespace drydock::network {

struct Listener {
  plan::Slot socket;
  int port = 0;    // of the container
  std::string id;  // of its step
};
using Listeners = std::vector<Listener>;

// Throws Error for a port 0 on either side, an address that is none, a port that is published twice, and more than 32 ports.
Listeners add_port_listeners(plan::Plan& plan, const std::vector<PublishedPort>& ports);

// The container's table of translations, and the proxy lane. `veth`: the step after which the container's link exists.
void add_port_steps(plan::Plan& plan, const BridgeConfig& config, const Listeners& listeners,
                    const std::vector<PublishedPort>& ports, const std::string& container_id, Ipv4 address, plan::StepRef veth);

// Where no packet can be translated (no bridge): the proxy lane carries all of them. It accepts on the host's side, enters the
// namespaces of `child` (a pidfd; `kinds` as in setns) and connects to `address` there.
void add_port_proxy(plan::Plan& plan, const Listeners& listeners, Ipv4 address, plan::Slot child,
                    std::int64_t kinds, plan::StepRef ready);

// A port that is free on `host_address` (empty: on all) right now; for "-p 80", where the host's port is left open.
// Somebody may take it before the plan listens: that is then the usual "port in use".
std::uint16_t free_port(const std::string& host_address, bool udp);

}  // namespace drydock::network
