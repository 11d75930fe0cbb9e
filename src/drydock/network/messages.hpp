// The rtnetlink messages of a container's network, as bytes: pure builders, so a plan that holds them is pure too.
//
// A message is complete but for values that exist only at run time (the pid whose network namespace gets the peer, the
// index of a bridge that is not there yet): those are patches, filled in by the executor.
//
// Example: Message m = create_veth({.host_name = "drydock7f3a", .bridge = bridge_index, .peer_pid = child, ...});
//          plan.monitor("net.veth", m.on(socket));
// Source: rtnetlink(7), veth(4); linux/if_link.h (IFLA_*), linux/veth.h (VETH_INFO_PEER).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <drydock/network/subnet.hpp>
#include <drydock/plan/op.hpp>

namespace drydock::network {

// A number that is known now, or a slot of the plan.
struct Value {
  Value(int number) : constant(static_cast<std::uint32_t>(number)) {}
  Value(plan::Slot value) : slot(value) {}
  std::uint32_t constant = 0;
  plan::Slot slot;
};

struct Message {
  plan::Bytes bytes;
  std::vector<plan::ops::Patch> patches;
  // The call that sends it.
  plan::Call on(plan::Slot socket) const { return plan::ops::netlink(socket, bytes, patches); }
};

// Fails with EEXIST when the name is taken: whoever else made it keeps it as it was.
Message create_bridge(const std::string& name, Mac mac);

struct Veth {
  std::string host_name;
  std::string bridge_name;  // only for the printed form
  Value bridge = 0;         // index of the bridge that the host's end joins; 0: none
  std::string peer_name = "eth0";
  Value peer_pid = 0;  // the peer is born in this process's network namespace
  Mac peer_mac;
  std::uint32_t mtu = 0;  // bytes, 0: default
};
// One message makes both ends where they will live. Moving an end between namespaces afterwards costs 16-33 ms (a grace
// period of the kernel), deleting one 17-30 ms: neither is ever done. The end of the namespace removes the pair.
Message create_veth(const Veth& veth);

// RTM_NEWLINK without NLM_F_CREATE: sets IFF_UP on the link of that name.
Message link_up(const std::string& name);
// Adding an address that is there already is no error (NLM_F_REPLACE).
Message add_address(Value link, const std::string& shown_link, Ipv4 address, int prefix);
Message add_default_route(Ipv4 gateway);
Message delete_link(const std::string& name);

}  // namespace drydock::network
