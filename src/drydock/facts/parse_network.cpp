#include <drydock/facts/parse.hpp>

#include <arpa/inet.h>

#include <algorithm>
#include <bit>
#include <charconv>

namespace drydock::facts::parse {

namespace {

std::uint32_t hex32(std::string_view text) {
  std::uint32_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value, 16);
  return value;
}

std::string dotted(std::uint32_t network_order) {
  char text[INET_ADDRSTRLEN] = "";
  ::inet_ntop(AF_INET, &network_order, text, sizeof text);
  return text;
}

// The link whose connected route holds `address`: the longest prefix wins. Loopback's routes are in the local table only, which
// /proc/net/route does not show.
Address on_link(const std::string& address, const std::vector<Route>& routes) {
  in_addr wanted{};
  ::inet_pton(AF_INET, address.c_str(), &wanted);
  const std::uint32_t host = ntohl(wanted.s_addr);
  if ((host >> 24) == 127) return {"lo", address + "/8"};
  Address best{"", address + "/32"};
  int longest = -1;
  for (const Route& route : routes) {
    const std::size_t slash = route.destination.find('/');
    if (!route.gateway.empty() || slash == std::string::npos) continue;
    int prefix = 0;
    std::from_chars(route.destination.data() + slash + 1, route.destination.data() + route.destination.size(), prefix);
    in_addr network{};
    ::inet_pton(AF_INET, route.destination.substr(0, slash).c_str(), &network);
    const std::uint32_t mask = prefix == 0 ? 0 : ~std::uint32_t{0} << (32 - prefix);
    if (prefix <= longest || (host & mask) != (ntohl(network.s_addr) & mask)) continue;
    longest = prefix;
    best = {route.link, address + route.destination.substr(slash)};
  }
  return best;
}

}  // namespace

// "  eth0: 1296 16 0 0 0 0 0 0 1296 16 ...": received bytes first, sent bytes ninth. No space follows the colon of a long name.
std::vector<Link> net_dev(std::string_view text) {
  std::vector<Link> links;
  for (const std::string_view line : lines(text)) {
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const auto name = words(line.substr(0, colon));
    const auto counters = words(line.substr(colon + 1));
    if (name.size() != 1 || counters.size() < 9) continue;
    Link link{std::string(name[0])};
    std::from_chars(counters[0].data(), counters[0].data() + counters[0].size(), link.received_bytes);
    std::from_chars(counters[8].data(), counters[8].data() + counters[8].size(), link.sent_bytes);
    links.push_back(std::move(link));
  }
  return links;
}

// Iface Destination Gateway Flags ... Mask ...: addresses are hexadecimal numbers in the byte order of the machine.
std::vector<Route> route(std::string_view text) {
  std::vector<Route> routes;
  for (const std::string_view line : lines(text)) {
    const auto fields = words(line);
    if (fields.size() < 8 || fields[0] == "Iface") continue;
    const std::uint32_t gateway = hex32(fields[2]);
    routes.push_back({dotted(hex32(fields[1])) + "/" + std::to_string(std::popcount(hex32(fields[7]))),
                      gateway == 0 ? "" : dotted(gateway), std::string(fields[0])});
  }
  return routes;
}

// "           |-- 172.29.0.2" and below it "              /32 host LOCAL". Both tables repeat it: each address once.
std::vector<Address> fib_trie(std::string_view text, const std::vector<Route>& routes) {
  std::vector<Address> found;
  std::string last;
  for (const std::string_view line : lines(text)) {
    const auto fields = words(line);
    if (fields.size() == 2 && fields[0] == "|--") last = fields[1];
    if (fields.size() != 3 || fields[0] != "/32" || fields[1] != "host" || fields[2] != "LOCAL") continue;
    Address address = on_link(last, routes);
    const bool known = std::any_of(found.begin(), found.end(), [&](const Address& a) { return a.address == address.address; });
    if (!known) found.push_back(std::move(address));
  }
  return found;
}

// 00000000000000000000000000000001 01 80 10 80       lo
std::vector<Address> if_inet6(std::string_view text) {
  std::vector<Address> found;
  for (const std::string_view line : lines(text)) {
    const auto fields = words(line);
    if (fields.size() < 6 || fields[0].size() != 32) continue;
    in6_addr address{};
    for (std::size_t byte = 0; byte < 16; ++byte)
      address.s6_addr[byte] = static_cast<std::uint8_t>(hex32(fields[0].substr(2 * byte, 2)));
    char shown[INET6_ADDRSTRLEN] = "";
    ::inet_ntop(AF_INET6, &address, shown, sizeof shown);
    found.push_back({std::string(fields[5]), std::string(shown) + "/" + std::to_string(hex32(fields[2]))});
  }
  return found;
}

}  // namespace drydock::facts::parse
