// Small acts on links, addresses and sockets, each in the caller's network namespace.
//
// Example: sent(network::link_up("lo")); ping("127.0.0.1"); names_of_links() == "lo"
// Source: rtnetlink(7), veth(4), raw(7).
#pragma once

#include <string>

#include <drydock/kernel/fd.hpp>
#include <drydock/network/messages.hpp>

#include "shared/child.hpp"
#include "shared/values.hpp"

namespace drydock::chapter::net {

// One rtnetlink message; what the kernel answered.
Outcome sent(const network::Message& message);
// Both ends here: veth-a, which is up at once, and veth-b.
Outcome make_pair();
// RTM_NEWLINK with IFLA_NET_NS_PID: the link goes to the namespace of that process, and takes this name there.
network::Message move_link(const std::string& name, pid_t pid, const std::string& new_name = {});
network::Message delete_route_to_all();
Outcome give_address(const std::string& link, const std::string& address);

std::string names_of_links();  // "lo veth-a", sorted
bool has_link(const std::string& name);
std::string state_of(const std::string& link);  // "down", "no carrier", "up"
std::string addresses();                        // of IPv4: "127.0.0.1/8"
std::string routes();                           // of the main table, IPv4: "10.99.0.0/24"

// An ICMP echo: 0 when the answer came, ETIMEDOUT when none did, or why it could not be sent.
Outcome ping(const std::string& address, int timeout_ms = 3000);
// A datagram to the discard port; only whether it could be sent.
Outcome send_datagram(const std::string& address);

enum class Reuse { no, yes };  // SO_REUSEADDR, socket(7)
Outcome listen_on(const std::string& address, int port, Fd& listener, Reuse reuse = Reuse::no);
// What the listener at this port of 127.0.0.1 says, or why there is none.
std::string hear(int port);

// Body of a child: "up LINK", "listen PORT", "answer NAME" (to one caller), "links", "state LINK", "give LINK ADDRESS",
// "ping ADDRESS", "routes", "via GATEWAY", until the talk is closed.
int agent(Talk& talk);
std::string ask(Child& agent, const std::string& words);

}  // namespace drydock::chapter::net
