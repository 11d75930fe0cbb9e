// A look at the kernel at work: which buffers (struct sk_buff) a process sends, by the trace points of the network.
//
// Example: machine.at([] { return path_of_buffers([] { send_datagram("10.0.0.2"); }, 29); })
//          == "A sent by left, A received by right"
// Source: perf_event_open(2); kernel documentation trace/events.rst; include/trace/events/net.h.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "shared/needs.hpp"

namespace drydock::chapter::veth_bridge {

// What happens to packets of `size` bytes (IP header included) while `act` runs, in the order of events; only this process is
// watched. Buffers get letters, in the order in which they are seen. The caller's mount namespace becomes one of its own.
std::string path_of_buffers(const std::function<void()>& act, std::uint32_t size);

// Root, and a kernel with trace points.
Need trace_points();

}  // namespace drydock::chapter::veth_bridge
