// Servers for the experiments: processes that answer on a machine until they go out of scope.
//
// Example: const Child web = serve(container, "0.0.0.0", 80, "web");
//          host.at([] { return hear("172.17.0.2", 80); }) == "web hears 172.17.0.1"
// Source: tcp(7), udp(7).
#pragma once

#include <string>

#include "machine.hpp"

namespace drydock::chapter::veth_bridge {

// To each caller it says its name, and from which address the call seems to come. Returns when it listens; throws Error when it
// may not.
Child serve(const Machine& machine, const std::string& address, int port, const std::string& name);
// The same for datagrams.
Child serve_datagrams(const Machine& machine, int port, const std::string& name);
// Sends one datagram and waits for what comes back: the answer and the address it came from, or ETIMEDOUT.
std::string ask_by_datagram(const std::string& address, int port, int timeout_ms = 1000);

}  // namespace drydock::chapter::veth_bridge
