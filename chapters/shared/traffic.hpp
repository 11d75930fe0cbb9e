// Small acts of the users of a network, each in the caller's namespace: an echo, a datagram, a listener, a call.
//
// Example: ping("127.0.0.1").failed() == false; hear("127.0.0.1", 80) == "what the listener said"
// Source: raw(7), udp(7), tcp(7).
#pragma once

#include <netinet/in.h>

#include <string>

#include <drydock/kernel/fd.hpp>

#include "shared/values.hpp"

namespace drydock::chapter {

// Throws Error as socket(2) does. Close-on-exec.
Fd socket_of(int family, int type, int protocol = 0);
sockaddr_in socket_address(const std::string& address, int port);

// An ICMP echo: 0 when the answer came, ETIMEDOUT when none did, or why it could not be sent.
Outcome ping(const std::string& address, int timeout_ms = 3000);
// A datagram to the discard port; only whether it could be sent.
Outcome send_datagram(const std::string& address);

enum class Reuse { no, yes };  // SO_REUSEADDR, socket(7)
Outcome listen_on(const std::string& address, int port, Fd& listener, Reuse reuse = Reuse::no);
// What the listener at this port says, or why there is none; ETIMEDOUT when it says nothing for that long.
std::string hear(const std::string& address, int port, int timeout_ms = 3000);

}  // namespace drydock::chapter
