// Is the shared NAT table there, and is it ours?
//
// Example: nat_state(config) == NatState::absent
// Source: linux/netfilter/nf_tables.h (NFT_MSG_GETTABLE). Reading it needs CAP_NET_ADMIN.
#pragma once

#include <drydock/network/subnet.hpp>

namespace drydock::network {

enum class NatState {
  absent,
  ready,
  stale,    // ours, for another subnet or bridge
  unknown,  // the caller may not look (EPERM)
};

// Throws Error when a table `ip drydock` of somebody else is there, or when the kernel has no nf_tables.
NatState nat_state(const BridgeConfig& config);

}  // namespace drydock::network
