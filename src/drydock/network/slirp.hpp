// A network without root: slirp4netns, a program of Debian, speaks TCP and UDP as an ordinary user for a link inside the
// container.
//
// It reads packets from a tap device in the container's network namespace and makes plain sockets of them outside. The
// container reaches what its user reaches, but for the host's loopback; nobody reaches the container but by published ports.
// Why not pasta: what Debian 12 has of it (March 2023) wants a route of the host to copy, and does without none.
//
// Example: if (const auto lack = lack_of(look_for_slirp())) throw Error::refused("-p", lack->what, lack->remedy);
//          const StepRef ready = add_slirp_step(plan, child, maps_written);
// Chapter: 10. Source: slirp4netns(1); tap devices: networking/tuntap.rst of the kernel.
#pragma once

#include <optional>
#include <string>

#include <drydock/network/subnet.hpp>
#include <drydock/plan/plan.hpp>

namespace drydock::network {

// The network that slirp4netns plays: the container's address, the name server that stands for the host's, and the link.
inline constexpr Ipv4 slirp_address{0x0a000264};  // 10.0.2.100
inline constexpr const char* slirp_name_server = "10.0.2.3";
inline constexpr const char* slirp_link = "eth0";
inline constexpr const char* slirp_program = "/usr/bin/slirp4netns";

// What it needs of a machine.
struct SlirpNeeds {
  bool program = false;
  bool tun = false;        // /dev/net/tun is there
  bool tun_opens = false;  // and this user may open it
};
// Reads it; makes nothing.
SlirpNeeds look_for_slirp();

// What is missing, and the command that repairs it. Nothing when all is there.
struct SlirpLack {
  std::string what, remedy;
};
std::optional<SlirpLack> lack_of(const SlirpNeeds& needs);

// Monitor lane: the helper, which has brought the link up when the step is done. `child`: pid of the payload; `mapped`: the step
// after which the ids of its user namespace are mapped (none without one).
plan::StepRef add_slirp_step(plan::Plan& plan, plan::Slot child, plan::StepRef mapped);

}  // namespace drydock::network
