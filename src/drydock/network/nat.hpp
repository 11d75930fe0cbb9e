// Address translation by nftables, as batches of netlink messages: pure builders, no nft program, no iptables.
//
// Two kinds of table, both `ip`:
//   drydock        of the host, shared: masquerade what leaves the bridge's subnet, drop what comes from outside unasked
//   drydock-<id>   of one container: its published ports. The table belongs to the socket that made it (NFT_TABLE_F_OWNER,
//                  Linux 5.12), so the kernel removes it when the monitor dies, however it dies.
// A batch is atomic: either all of it is there or nothing.
//
// What this cannot do: an `accept` here does not overrule a `drop` of another table. On a host whose own forward chain has
// the policy drop (firewalld, Docker's iptables) the administrator must let the bridge through.
//
// Example: plan.monitor("net.nat", nat_table({}).on(nft_socket)).tolerate(EEXIST);
// Source: nft(8); linux/netfilter/nf_tables.h; kernel documentation networking/nf_conntrack-sysctl.rst.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <drydock/network/messages.hpp>
#include <drydock/network/subnet.hpp>

namespace drydock::network {

// What `nft list table ip drydock` shows as its comment. An existing table with another one is not (or no longer) ours.
std::string nat_mark(const BridgeConfig& config);

// table ip drydock. EEXIST: it is there already, nothing was changed. With `replace` an existing one goes first.
//   chain postrouting { type nat hook postrouting priority srcnat; ip saddr SUBNET oifname != BRIDGE masquerade }
//   chain forward { type filter hook forward priority filter;
//                   oifname BRIDGE iifname != BRIDGE ct state new,invalid ct status & dnat == 0 drop }
Message nat_table(const BridgeConfig& config, bool replace = false);
Message delete_nat_table();

struct PublishedPort {
  std::string host_address;  // empty: every address
  std::uint16_t host_port = 0;
  std::uint16_t container_port = 0;
  bool udp = false;
};

// True for ports that packets can be translated for: a v4 address of the host that is not loopback (or any address).
// The rest (127.0.0.0/8, IPv6) is served by the proxy.
bool translatable(const PublishedPort& port);

// table ip drydock-<id>: for each translatable port, in prerouting and output:
//   fib daddr type local [ip daddr HOST | ip daddr != 127.0.0.0/8] tcp dport HOSTPORT dnat to CONTAINER:PORT
// TCP that comes from the bridge is left to the proxy (iifname != BRIDGE): where bridged packets pass these chains too
// (br_netfilter), a container that calls its own published port would get its packet back by the port it came from, which
// a bridge refuses. For UDP there is no proxy, so it is translated, and in postrouting takes the host's address, because
// the answer must come back through the host:
//   ip saddr SUBNET ip daddr CONTAINER ct status & dnat != 0 masquerade
Message publish_table(const std::string& id, const BridgeConfig& config, Ipv4 container, const std::vector<PublishedPort>& ports);
Message delete_publish_table(const std::string& id);

}  // namespace drydock::network
