// Who has an address? Asked on a link, as arping(8) does.
//
// Example: host.at([] { return arp_answers("docker0", "172.17.0.2"); }) == "1"
// Source: packet(7); RFC 826, RFC 5227.
#pragma once

#include <cstddef>
#include <string>

namespace drydock::chapter::veth_bridge {

// How many machines on this link say that the address is theirs.
std::size_t arp_answers(const std::string& link, const std::string& address);

}  // namespace drydock::chapter::veth_bridge
