// Containers, an outside world and small clients for the network tests; see network_host.hpp for the host they live on.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include <drydock/network/bridge.hpp>
#include <drydock/network/links.hpp>
#include <drydock/network/nat_batch.hpp>

#include "kernel/network_host.hpp"

namespace drydock::test {

// What the steps of add_bridge_steps do, sent one by one.
inline void bring_up(const network::BridgeConfig& config) {
  using namespace network;
  const Netlink route(NETLINK_ROUTE);
  Netlink(NETLINK_NETFILTER).send(nat_table(config).bytes);
  sys::write_file("/proc/sys/net/ipv4/ip_forward", "1");
  route.send(create_bridge(config.name, config.mac()).bytes);
  const int index = find_link(route, config.name)->index;
  route.send(add_address(index, config.name, config.gateway(), config.subnet.prefix).bytes);
  route.send(link_up(config.name).bytes);
}

inline int tell_peers_listener(int port) {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_port = htons(static_cast<std::uint16_t>(port));
  if (::bind(listener, reinterpret_cast<sockaddr*>(&where), sizeof where) != 0 || ::listen(listener, 64) != 0)
    throw Error::from_errno("bind", "", errno);
  return listener;
}

// A TCP server that tells each client the address it comes from, then closes. Does not return.
inline void tell_peers(int listener) {
  for (;;) {
    sockaddr_in peer{};
    socklen_t size = sizeof peer;
    const int client = ::accept(listener, reinterpret_cast<sockaddr*>(&peer), &size);
    char text[INET_ADDRSTRLEN] = {};
    ::inet_ntop(AF_INET, &peer.sin_addr, text, sizeof text);
    const std::string answer = std::string("peer ") + text;
    (void)!::send(client, answer.data(), answer.size(), MSG_NOSIGNAL);
    ::close(client);
  }
}

// Connects and reads until the end; "" when nobody answers in time. IPv6 addresses hold a ':'.
inline std::string ask(const std::string& address, int port, int milliseconds = 3000) {
  const bool six = address.find(':') != std::string::npos;
  sockaddr_storage where{};
  if (six) {
    auto& a = reinterpret_cast<sockaddr_in6&>(where);
    a.sin6_family = AF_INET6;
    a.sin6_port = htons(static_cast<std::uint16_t>(port));
    ::inet_pton(AF_INET6, address.c_str(), &a.sin6_addr);
  } else {
    auto& a = reinterpret_cast<sockaddr_in&>(where);
    a.sin_family = AF_INET;
    a.sin_port = htons(static_cast<std::uint16_t>(port));
    ::inet_pton(AF_INET, address.c_str(), &a.sin_addr);
  }
  const Fd fd(::socket(six ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const timeval limit{milliseconds / 1000, milliseconds % 1000 * 1000};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&where), six ? sizeof(sockaddr_in6) : sizeof(sockaddr_in)) != 0) return "";
  std::string text;
  char buffer[256];
  for (ssize_t count; (count = ::recv(fd.get(), buffer, sizeof buffer, 0)) > 0;)
    text.append(buffer, static_cast<std::size_t>(count));
  return text;
}

struct Pipe {
  Fd read, write;
};

inline Pipe make_pipe() {
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  return {Fd(ends[0]), Fd(ends[1])};
}

// A process in a network namespace of its own, with eth0 on the bridge, and a server on port 80.
class Container {
 public:
  Container(const network::BridgeConfig& config, const std::string& id, network::Ipv4 address, bool server = true)
      : go_(make_pipe()), ready_(make_pipe()), process_([&] { live(config, address, server); }, true) {
    using namespace network;
    const Netlink route(NETLINK_ROUTE);
    Veth veth;
    veth.host_name = veth_name(id);
    veth.bridge = find_link(route, config.name)->index;
    veth.peer_pid = plan::Slot{0};
    veth.peer_mac = mac_of(address);
    route.send(patched(create_veth(veth), {static_cast<std::uint32_t>(process_.pid())}));
    REQUIRE(::write(go_.write.get(), ".", 1) == 1);
    char byte = 0;
    REQUIRE(::read(ready_.read.get(), &byte, 1) == 1);
  }
  pid_t pid() const { return process_.pid(); }
  void kill() { process_.kill(); }

 private:
  // What the payload lane does.
  void live(const network::BridgeConfig& config, network::Ipv4 address, bool server) {
    using namespace network;
    char byte;
    if (::read(go_.read.get(), &byte, 1) != 1) ::_exit(1);
    const Netlink route(NETLINK_ROUTE);
    route.send(link_up("lo").bytes);
    const long index = plan::executor::link_index(route.fd().get(), "eth0");
    route.send(patched(add_address(plan::Slot{0}, "eth0", address, config.subnet.prefix), {static_cast<std::uint32_t>(index)}));
    route.send(link_up("eth0").bytes);
    route.send(add_default_route(config.gateway()).bytes);
    const int listener = server ? tell_peers_listener(80) : -1;
    if (::write(ready_.write.get(), ".", 1) != 1) ::_exit(1);
    if (server) tell_peers(listener);
  }
  Pipe go_, ready_;
  Process process_;
};

// A neighbour of the host that is no container: 10.77.0.2 on a link of its own, the host being 10.77.0.1.
class Outside {
 public:
  Outside() : ready_(make_pipe()), process_([this] { live(); }, true) {
    using namespace network;
    const Netlink route(NETLINK_ROUTE);
    Veth veth;
    veth.host_name = "drydockout";
    veth.peer_pid = plan::Slot{0};
    veth.peer_mac = mac_of(Ipv4{0x0a4d0002});
    route.send(patched(create_veth(veth), {static_cast<std::uint32_t>(process_.pid())}));
    route.send(add_address(find_link(route, "drydockout")->index, "drydockout", Ipv4{0x0a4d0001}, 24).bytes);
    char byte = 0;
    REQUIRE(::read(ready_.read.get(), &byte, 1) == 1);
  }
  pid_t pid() const { return process_.pid(); }

 private:
  void live() {
    using namespace network;
    const Netlink route(NETLINK_ROUTE);
    while (plan::executor::link_index(route.fd().get(), "eth0") < 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    const auto index = static_cast<int>(plan::executor::link_index(route.fd().get(), "eth0"));
    route.send(add_address(index, "eth0", Ipv4{0x0a4d0002}, 24).bytes);
    route.send(link_up("eth0").bytes);
    route.send(add_default_route(Ipv4{0x0a4d0001}).bytes);
    const int listener = tell_peers_listener(80);
    if (::write(ready_.write.get(), ".", 1) != 1) ::_exit(1);
    tell_peers(listener);
  }
  Pipe ready_;
  Process process_;
};

// Runs `body` inside the network namespace of `where`, in a thread that ends with it.
template <typename Where, typename Body>
auto within(const Where& where, Body body) -> decltype(body()) {
  const Fd space = sys::open("/proc/" + std::to_string(where.pid()) + "/ns/net", O_RDONLY);
  decltype(body()) result{};
  std::exception_ptr problem;
  std::thread([&] {
    try {
      if (::setns(space.get(), CLONE_NEWNET) != 0) throw Error::from_errno("setns", "CLONE_NEWNET", errno);
      result = body();
    } catch (...) {
      problem = std::current_exception();
    }
  }).join();
  if (problem) std::rethrow_exception(problem);
  return result;
}

struct Inside {
  std::vector<network::Link> links;
  std::vector<network::Address> addresses;
  std::vector<network::Route> routes;
};

inline Inside inside(const Container& container) {
  return within(container, [] {
    const network::Netlink socket(NETLINK_ROUTE);
    return Inside{network::links(socket), network::addresses(socket), network::routes(socket)};
  });
}

template <typename Where>
std::string ask_from(const Where& where, const std::string& address, int port, int milliseconds = 3000) {
  return within(where, [&] { return ask(address, port, milliseconds); });
}

inline void foreign_table() {
  network::Batch batch;
  batch.table("drydock", "somebody else's", 0);
  network::Netlink(NETLINK_NETFILTER).send({batch.finish(), "foreign table"});
}

}  // namespace drydock::test
