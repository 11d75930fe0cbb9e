// Packets between the processes of a launch: monitor and lanes, monitor and caller. One SEQPACKET socket pair each.
//
// EOF on a lane's socket means that its exec succeeded (the end is CLOEXEC) or that it died; the records tell which.
// Source: unix(7), SOCK_SEQPACKET keeps message boundaries and reports the death of the other end.
#pragma once

#include <cstdint>

#include <drydock/plan/executor/context.hpp>

namespace drydock::plan::executor {

enum class LaneFd : std::uint32_t { none, first, second };  // which of the two results the descriptor is

// True for calls whose result is a descriptor, which another lane can use only if it is passed along.
bool makes_descriptor(Op op);

void send_lane_message(int socket, unsigned step, long value, LaneFd carried, int fd);
// False at the end of the stream.
bool receive_lane_message(int socket, wire::LaneMessage& message, int& fd);

// 0 or -errno; -EPIPE when the caller is gone.
long send_packet(int socket, wire::Packet packet, int fd = -1);
// >0 a packet, 0 the end, -EAGAIN nothing yet.
long receive_packet(int socket, wire::Packet& packet, bool wait);
// A packet and the descriptor that may come along (-1 otherwise); waits. False at the end of the stream.
bool receive_packet_fd(int socket, wire::Packet& packet, int& fd);
bool caller_is_gone(const Context& context);

}  // namespace drydock::plan::executor
