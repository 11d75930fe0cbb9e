// What the kernel says about links, addresses and routes of a network namespace.
//
// Example: for (const Link& link : links()) print(link.name, link.kind);           // of the caller's namespace
//          links(socket) asks through a socket that was opened in another namespace.
// Source: rtnetlink(7); linux/if_link.h, linux/if_addr.h, linux/rtnetlink.h. Chapters 05 and 10.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <drydock/network/netlink.hpp>
#include <drydock/network/subnet.hpp>

namespace drydock::network {

struct Link {
  int index = 0;
  std::string name;
  std::string kind;                   // "veth", "bridge"; empty for hardware and lo
  bool up = false;                    // IFF_UP
  bool running = false;               // IFF_RUNNING: there is a carrier
  int master = 0;                     // index of the bridge it is a port of, 0: none
  int peer = 0;                       // veth: index of the other end, in the namespace `peer_namespace`
  std::optional<int> peer_namespace;  // netnsid; empty: this namespace
  std::string mac;
  std::string alias;
  std::uint32_t mtu = 0;  // bytes
};

struct Address {
  int link = 0;
  int family = 0;  // AF_INET, AF_INET6
  std::string address;
  int prefix = 0;
  bool operator==(const Address&) const = default;
};

struct Route {
  int family = 0;
  std::string destination;  // "172.29.0.0/16", "default"
  std::string gateway;      // empty: directly connected
  int link = 0;
  std::uint32_t table = 0;  // RT_TABLE_MAIN is 254
  bool by_kernel = false;   // it came with an address (RTPROT_KERNEL)
  bool link_down = false;   // its link has no carrier (RTNH_F_LINKDOWN)
};

// In the order of the kernel. Each throws Error (call "netlink") when the kernel refuses.
std::vector<Link> links(const Netlink& socket);
std::vector<Address> addresses(const Netlink& socket);
// Routes of the main table, IPv4 and IPv6.
std::vector<Route> routes(const Netlink& socket);
std::vector<Link> links();
std::vector<Address> addresses();
std::vector<Route> routes();
// Empty when there is no link of that name.
std::optional<Link> find_link(const Netlink& socket, const std::string& name);
// The first IPv4 address of a link in the caller's namespace (SIOCGIFADDR, netdevice(7)): one cheap call where a dump would
// read every address of the host. Empty when it has none.
std::optional<Ipv4> first_address(const std::string& name);

}  // namespace drydock::network
