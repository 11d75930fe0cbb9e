#include <drydock/container/parse.hpp>

#include <drydock/container/parse_values.hpp>

namespace drydock::container {

namespace {

constexpr std::string_view port_form = "write [ADDRESS:][HOST_PORT:]CONTAINER_PORT[/tcp|/udp], for example 127.0.0.1:8080:80";

struct Range {
  std::uint16_t first = 0, last = 0;
  int count() const { return last - first + 1; }
};

Range parse_range(std::string_view text, std::string_view part) {
  const std::size_t dash = part.find('-');
  const auto one = [&](std::string_view number) {
    if (number.empty() || number.size() > 5 || number.find_first_not_of("0123456789") != std::string_view::npos)
      throw bad_value("-p/--publish", text, "'" + std::string(part) + "' is no port", std::string(port_form));
    const int value = std::stoi(std::string(number));
    if (value < 1 || value > 65535) throw bad_value("-p/--publish", text, "ports go from 1 to 65535", std::string(port_form));
    return static_cast<std::uint16_t>(value);
  };
  const std::uint16_t first = one(part.substr(0, dash));
  const Range range{first, dash == std::string_view::npos ? first : one(part.substr(dash + 1))};
  if (range.first > range.last) throw bad_value("-p/--publish", text, "the range ends before it begins", std::string(port_form));
  return range;
}

// Takes "ADDRESS:" off the front of `rest`. IPv6 stands in brackets, because it holds colons itself.
std::string take_address(std::string_view text, std::string_view& rest) {
  if (rest.starts_with('[')) {
    const std::size_t close = rest.find("]:");
    const std::string address(rest.substr(1, close == std::string_view::npos ? 0 : close - 1));
    if (!is_ipv6(address))
      throw bad_value("-p/--publish", text, "there is no IPv6 address in the brackets", "for example [::1]:8080:80");
    rest.remove_prefix(close + 2);
    return address;
  }
  const auto parts = split(rest, ':');
  if (parts.size() > 3)
    throw bad_value("-p/--publish", text, "there are too many ':'", "write an IPv6 address in brackets: [::1]:8080:80");
  if (parts.size() < 3) return {};
  const std::string address(parts[0]);
  if (!is_ipv4(address)) throw bad_value("-p/--publish", text, "'" + address + "' is no address", std::string(port_form));
  rest.remove_prefix(address.size() + 1);
  return address;
}

bool take_protocol(std::string_view text, std::string_view& rest) {
  const std::size_t slash = rest.find('/');
  if (slash == std::string_view::npos) return false;
  const std::string protocol = lower(rest.substr(slash + 1));
  rest = rest.substr(0, slash);
  if (protocol != "tcp" && protocol != "udp")
    throw bad_value("-p/--publish", text, "'" + protocol + "' cannot be published", "the protocol is tcp or udp");
  return protocol == "udp";
}

}  // namespace

void parse_network(std::string_view text, NetworkSpec& network) {
  network.peer.clear();
  if (text == "bridge" || text == "default") {
    network.mode = NetworkMode::bridge;
  } else if (text == "none") {
    network.mode = NetworkMode::none;
  } else if (text == "host") {
    network.mode = NetworkMode::host;
  } else if (text == "slirp4netns") {
    network.mode = NetworkMode::slirp;
  } else if (text.starts_with("container:") && text.size() > 10) {
    network.mode = NetworkMode::container;
    network.peer = text.substr(10);
  } else {
    throw bad_value("--network", text, "there is no such network", "choose bridge, none, host, slirp4netns or container:NAME");
  }
}

std::vector<PortSpec> parse_ports(std::string_view text) {
  std::string_view rest = text;
  const bool udp = take_protocol(text, rest);
  const std::string address = take_address(text, rest);
  const std::size_t colon = rest.find(':');
  if (!address.empty() && colon == std::string_view::npos)
    throw bad_value("-p/--publish", text, "the port in the container is missing", std::string(port_form));
  const std::string_view host_part = colon == std::string_view::npos ? std::string_view{} : rest.substr(0, colon);
  const Range inside = parse_range(text, colon == std::string_view::npos ? rest : rest.substr(colon + 1));
  if (colon == 0 && address.empty())
    throw bad_value("-p/--publish", text, "the port on this machine is missing", std::string(port_form));
  std::vector<PortSpec> ports;
  if (host_part.empty()) {
    for (int port = inside.first; port <= inside.last; ++port)
      ports.push_back({address, 0, static_cast<std::uint16_t>(port), udp});
    return ports;
  }
  const Range outside = parse_range(text, host_part);
  if (outside.count() != inside.count())
    throw bad_value("-p/--publish", text, "the two ranges have different lengths", "for example 8000-8002:80-82");
  for (int at = 0; at < inside.count(); ++at)
    ports.push_back(
        {address, static_cast<std::uint16_t>(outside.first + at), static_cast<std::uint16_t>(inside.first + at), udp});
  return ports;
}

network::HostEntry parse_add_host(std::string_view text) {
  const std::size_t separator = text.find_first_of(":=");
  const std::string remedy = "write NAME:ADDRESS, for example db:10.0.0.2";
  if (separator == std::string_view::npos || separator == 0)
    throw bad_value("--add-host", text, "a name and an address are wanted", remedy);
  const std::string_view name = text.substr(0, separator);
  std::string_view address = text.substr(separator + 1);
  if (address.starts_with('[') && address.ends_with(']')) address = address.substr(1, address.size() - 2);
  // The file it goes into is made of words and lines.
  if (name.find_first_of(" \t\r\n#") != std::string_view::npos)
    throw bad_value("--add-host", text, "a name holds no spaces", remedy);
  if (!is_ipv4(address) && !is_ipv6(address))
    throw bad_value("--add-host", text, "'" + std::string(address) + "' is no address", remedy);
  return {std::string(name), std::string(address)};
}

std::string parse_dns(std::string_view text) {
  if (!is_ipv4(text) && !is_ipv6(text))
    throw bad_value("--dns", text, "that is no address", "give the address of a name server: 9.9.9.9");
  return std::string(text);
}

std::string parse_ip(std::string_view text) {
  if (!is_ipv4(text))
    throw bad_value("--ip", text, "that is no IPv4 address", "give one of the bridge's network, for example 172.29.0.9");
  return std::string(text);
}

}  // namespace drydock::container
