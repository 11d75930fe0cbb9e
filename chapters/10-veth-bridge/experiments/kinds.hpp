// Messages that the core never sends: links of other kinds (a pair in one place, macvlan, vxlan), a route to one subnet.
//
// Example: host.at([&] { return sent(create_macvlan("macvlan0", "eth0", container.pid(), "eth0")); })
// Source: rtnetlink(7); linux/if_link.h (IFLA_MACVLAN_*, IFLA_VXLAN_*); ip-link(8).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include <drydock/network/messages.hpp>

#include "shared/needs.hpp"

namespace drydock::chapter::veth_bridge {

// A kernel that makes links of this kind.
Need link_kind(const std::string& kind);

// `ip link add NAME type veth peer name PEER`: both ends here, both down.
network::Message create_pair(const std::string& name, const std::string& peer);
// `ip link add NAME link PARENT type macvlan mode bridge`, born in the namespace of process `pid`.
network::Message create_macvlan(const std::string& name, const std::string& parent, pid_t pid);
// `ip link add NAME type vxlan id ID dev LINK remote REMOTE local LOCAL dstport 4789`.
network::Message create_vxlan(const std::string& name, std::uint32_t id, const std::string& link, const std::string& local,
                              const std::string& remote);
// `ip route add SUBNET/PREFIX via GATEWAY`.
network::Message add_route(const std::string& subnet, int prefix, const std::string& gateway);

}  // namespace drydock::chapter::veth_bridge
