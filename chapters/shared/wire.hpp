// Small acts on links, addresses and routes, each in the caller's network namespace, and what the kernel says about them.
//
// Example: sent(network::link_up("lo")); names_of_links() == "lo"
// Source: rtnetlink(7), veth(4).
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include <drydock/network/links.hpp>
#include <drydock/network/messages.hpp>

#include "shared/values.hpp"

namespace drydock::chapter {

// Throws Error when it is none.
network::Ipv4 ipv4(const std::string& address);

// One message, or a batch for NETLINK_NETFILTER; what the kernel answered.
Outcome sent(const network::Message& message, int protocol = NETLINK_ROUTE);
// RTM_NEWLINK with IFLA_NET_NS_PID: the link goes to the namespace of that process, and takes this name there.
network::Message move_link(const std::string& name, pid_t pid, const std::string& new_name = {});
network::Message rename_link(const std::string& name, const std::string& new_name);
network::Message link_down(const std::string& name);
// IFLA_MASTER: the link becomes a port of this bridge.
network::Message plug(const std::string& name, const std::string& bridge);
network::Message delete_route_to_all();
Outcome give_address(const std::string& link, const std::string& address, int prefix = 24);

std::string names_of_links();  // "lo veth-a", sorted
bool has_link(const std::string& name);
network::Link link_named(const std::string& name);  // number 0 when there is none; to that the kernel answers ENODEV
int index_of(const std::string& link);
std::string state_of(const std::string& link);  // "down", "no carrier", "up"
std::string addresses();                        // of IPv4: "127.0.0.1/8"
std::string addresses_of(const std::string& link);
std::string routes();   // of the main table, IPv4: "10.99.0.0/24"
std::string gateway();  // of the default route: "10.99.0.1"
// Names of the bridge's ports, sorted.
std::string ports_of(const std::string& bridge);

// Words in order, with one blank between them; "none" without any.
std::string joined(std::vector<std::string> words);

}  // namespace drydock::chapter
