#include <drydock/network/subnet.hpp>

#include <arpa/inet.h>

#include <charconv>

#include <fmt/format.h>

#include <drydock/kernel/error.hpp>

namespace drydock::network {

std::optional<Ipv4> Ipv4::parse(const std::string& text) {
  in_addr address{};
  if (::inet_pton(AF_INET, text.c_str(), &address) != 1) return std::nullopt;
  return Ipv4{ntohl(address.s_addr)};
}

std::string Ipv4::text() const {
  return fmt::format("{}.{}.{}.{}", value >> 24, (value >> 16) & 255, (value >> 8) & 255, value & 255);
}

std::uint32_t Ipv4::wire() const {
  return htonl(value);
}

Subnet Subnet::parse(const std::string& text) {
  const auto refuse = [&](const char* reason) {
    return Error::refused("subnet '" + text + "'", reason, "write it like 172.29.0.0/16");
  };
  const std::size_t slash = text.find('/');
  const auto address = slash == std::string::npos ? std::nullopt : Ipv4::parse(text.substr(0, slash));
  if (!address) throw refuse("not an IPv4 subnet");
  Subnet result;
  const char* end = text.data() + text.size();
  const auto [stop, code] = std::from_chars(text.data() + slash + 1, end, result.prefix);
  if (code != std::errc{} || stop != end || result.prefix < 8 || result.prefix > 29) throw refuse("the prefix must be 8 to 29");
  result.base = address->value;
  if ((result.base & ~result.mask()) != 0) throw refuse("it has bits set in the host part");
  return result;
}

bool Subnet::overlaps(const Subnet& other) const {
  return contains(Ipv4{other.base}) || other.contains(Ipv4{base});
}

std::string Subnet::text() const {
  return Ipv4{base}.text() + "/" + std::to_string(prefix);
}

std::string Mac::text() const {
  return fmt::format("{:02x}:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5]);
}

Mac mac_of(Ipv4 address) {
  const std::uint32_t v = address.value;
  const auto byte = [v](int shift) { return static_cast<std::uint8_t>(v >> shift); };
  return Mac{{0x02, 0xdd, byte(24), byte(16), byte(8), byte(0)}};
}

std::string veth_name(const std::string& container_id) {
  return "drydock" + container_id.substr(0, 8);
}

}  // namespace drydock::network
