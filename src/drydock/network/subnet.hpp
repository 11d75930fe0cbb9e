// IPv4 addresses, subnets and link addresses as values, and what a bridge network is made of. Pure.
//
// Example: Subnet net = Subnet::parse("172.29.0.0/16"); net.address(2).text() == "172.29.0.2";
// net.contains(*Ipv4::parse("10.0.0.1")) == false Source: inet(3); RFC 1918 (private ranges); IEEE 802, "locally administered"
// bit of a MAC address.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>

namespace drydock::network {

struct Ipv4 {
  std::uint32_t value = 0;  // host byte order

  // Dotted quad only; empty when it is none.
  static std::optional<Ipv4> parse(const std::string& text);
  std::string text() const;
  std::uint32_t wire() const;  // network byte order, as messages carry it
  auto operator<=>(const Ipv4&) const = default;
};

struct Subnet {
  std::uint32_t base = 0;  // host byte order, host part zero
  int prefix = 0;

  // "172.29.0.0/16". Throws Error when it is none, has host bits, or has room for fewer than two hosts (prefix over 29).
  static Subnet parse(const std::string& text);
  std::uint32_t mask() const { return prefix == 0 ? 0 : ~std::uint32_t{0} << (32 - prefix); }
  // Number of addresses; the first (the network) and the last (broadcast) are no host's.
  std::uint64_t size() const { return std::uint64_t{1} << (32 - prefix); }
  Ipv4 address(std::uint32_t host) const { return Ipv4{base + host}; }
  bool contains(Ipv4 address) const { return (address.value & mask()) == base; }
  bool overlaps(const Subnet& other) const;
  std::string text() const;
  bool operator==(const Subnet&) const = default;
};

struct Mac {
  std::array<std::uint8_t, 6> bytes{};
  std::string text() const;
  bool operator==(const Mac&) const = default;
};

// 02:dd and the address: an address that is used again brings the same MAC, so no neighbour's ARP cache is ever wrong.
Mac mac_of(Ipv4 address);

// One bridge network of a host.
struct BridgeConfig {
  std::string name = "drydock0";
  Subnet subnet{0xac1d0000, 16};  // 172.29.0.0/16
  std::uint32_t mtu = 0;          // bytes; 0: the kernel's default (1500)

  Ipv4 gateway() const { return subnet.address(1); }
  // The bridge's own address. It is also the mark by which our bridge is told from somebody else's of the same name.
  Mac mac() const { return mac_of(gateway()); }
};

// The host's end of a container's veth pair: "drydock" and the first 8 digits of the id fill the 15 bytes that a name may have.
std::string veth_name(const std::string& container_id);

}  // namespace drydock::network
