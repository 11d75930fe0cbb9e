#include <drydock/network/ports.hpp>

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <algorithm>

#include <drydock/kernel/error.hpp>
#include <drydock/kernel/fd.hpp>
#include <drydock/kernel/raw.hpp>

namespace drydock::network {

namespace {

using namespace plan;

// The executor's proxy lane takes 64 listening sockets, two for each port, and one message of at most 64 KiB (ops_network.cpp).
constexpr std::size_t largest_port_count = 32;

bool is_ipv6(const std::string& address) {
  in6_addr unused;
  return ::inet_pton(AF_INET6, address.c_str(), &unused) == 1;
}

std::string shown(const PublishedPort& port) {
  return (port.host_address.empty() ? "" : port.host_address + ":") + std::to_string(port.host_port) + ":" +
         std::to_string(port.container_port) + (port.udp ? "/udp" : "");
}

void check(const PublishedPort& port) {
  if (port.host_port == 0 || port.container_port == 0)
    throw Error::refused("published port " + shown(port), "a port is a number from 1 to 65535", "write it like -p 8080:80");
  if (!port.host_address.empty() && !is_ipv6(port.host_address) && !Ipv4::parse(port.host_address))
    throw Error::refused("published port " + shown(port), "'" + port.host_address + "' is no IPv4 or IPv6 address",
                         "write it like -p 127.0.0.1:8080:80 or -p [::1]:8080:80");
}

// True when both want the same port of the same address.
bool clash(const PublishedPort& one, const PublishedPort& two) {
  const auto covers = [](const std::string& wide, const std::string& narrow) {
    if (wide.empty() || wide == narrow) return true;
    return (wide == "0.0.0.0" && !is_ipv6(narrow)) || (wide == "::" && is_ipv6(narrow));
  };
  return one.host_port == two.host_port && one.udp == two.udp &&
         (covers(one.host_address, two.host_address) || covers(two.host_address, one.host_address));
}

void listen(Plan& plan, Listeners& listeners, int family, const std::string& address, const PublishedPort& port, bool optional) {
  const std::string where = (family == AF_INET6 ? "[" + address + "]" : address) + ":" + std::to_string(port.host_port) + (port.udp ? "/udp" : "");
  const Slot socket = plan.slot("port " + where, SlotKind::fd);
  const std::string id = "net.listen." + where;
  Step& step = plan.monitor(id, ops::socket_listen(family, port.udp ? SOCK_DGRAM : SOCK_STREAM, address, port.host_port))
                   .into(socket)
                   .on("published port " + where)
                   .undo(ops::close(socket))
                   .why("reserves the port before anything else is made, and serves loopback and IPv6");
  // A host without IPv6 publishes on IPv4 alone.
  if (optional) step.tolerate(EAFNOSUPPORT).tolerate(EADDRNOTAVAIL);
  listeners.push_back({socket, port.container_port, id});
}

// Whose namespaces the proxy enters before it serves; without one it stays on the host's side.
struct Entry {
  Slot child;
  std::int64_t kinds = 0;
};

void add_proxy(Plan& plan, const Listeners& listeners, Ipv4 address, StepRef ready, const char* why, const Entry& entry) {
  const Slot pid = plan.slot("proxy", SlotKind::pid);
  const Slot pidfd = plan.slot("proxy_fd", SlotKind::fd);  // fork_lane fills the slot that follows its own
  plan.monitor("net.proxy.fork", ops::fork_lane(Lane::proxy))
      .into(pid)
      .on("proxy")
      .after(ready)
      .undo(ops::kill_process(pidfd))
      .why(why);
  std::vector<Slot> sockets;
  std::vector<int> ports;
  for (const Listener& listener : listeners) {
    sockets.push_back(listener.socket);
    ports.push_back(listener.port);
  }
  if (entry.child.valid())
    plan.add(Lane::proxy, "net.proxy.enter", ops::setns(entry.child, entry.kinds))
        .on("proxy")
        .why("it accepts outside and connects inside: a socket stays in the namespace where it was made");
  plan.add(Lane::proxy, "net.proxy.tie", ops::die_with_parent()).on("proxy").why("no port stays open when the monitor is killed");
  plan.add(Lane::proxy, "net.proxy.drop", ops::capset(0, 0, 0))
      .on("proxy")
      .why("it copies bytes between strangers, for which it needs no privilege");
  plan.add(Lane::proxy, "net.proxy", ops::proxy_loop(sockets, address.text(), ports))
      .on("proxy")
      .why(entry.child.valid() ? "bytes of published ports, both ways" : "route_localnet would let neighbours reach the host's loopback services (CVE-2020-8558)");
}

}  // namespace

Listeners add_port_listeners(Plan& plan, const std::vector<PublishedPort>& ports) {
  if (ports.size() > largest_port_count)
    throw Error::refused(std::to_string(ports.size()) + " published ports",
                         "a container publishes at most " + std::to_string(largest_port_count),
                         "publish fewer, or use --network host");
  Listeners listeners;
  for (auto at = ports.begin(); at != ports.end(); ++at) {
    const PublishedPort& port = *at;
    check(port);
    if (std::any_of(ports.begin(), at, [&](const PublishedPort& earlier) { return clash(earlier, port); }))
      throw Error::refused("published port " + shown(port), "the same port of the host is published twice",
                           "leave one of the two out");
    const bool everywhere = port.host_address.empty() || port.host_address == "0.0.0.0";
    if (everywhere) {
      listen(plan, listeners, AF_INET, "0.0.0.0", port, false);
      if (port.host_address.empty()) listen(plan, listeners, AF_INET6, "::", port, true);
    } else {
      listen(plan, listeners, is_ipv6(port.host_address) ? AF_INET6 : AF_INET, port.host_address, port, false);
    }
  }
  return listeners;
}

void add_port_steps(Plan& plan, const BridgeConfig& config, const Listeners& listeners, const std::vector<PublishedPort>& ports,
                    const std::string& container_id, Ipv4 address, StepRef veth) {
  if (std::any_of(ports.begin(), ports.end(), translatable)) {
    // A socket of its own: the table lives exactly as long as this descriptor, whatever happens to the monitor.
    const Slot socket = plan.slot("nft_ports", SlotKind::fd);
    plan.monitor("net.ports.socket", ops::netlink_open(NETLINK_NETFILTER))
        .into(socket)
        .on("published ports")
        .why("the table of translations is owned by this socket and dies with it");
    plan.monitor("net.ports", publish_table(container_id, config, address, ports).on(socket))
        .on("published ports")
        .after(veth)
        .undo(delete_publish_table(container_id).on(socket))
        .why("packets to the published ports go straight to the container, inside the kernel");
  }
  if (!listeners.empty()) add_proxy(plan, listeners, address, veth, "loopback and IPv6 cannot be translated: a process carries the bytes", {});
}

void add_port_proxy(Plan& plan, const Listeners& listeners, Ipv4 address, Slot child,
                    std::int64_t kinds, StepRef ready) {
  if (!listeners.empty()) add_proxy(plan, listeners, address, ready, "nothing is translated without the bridge: a process carries the bytes", {child, kinds});
}

std::uint16_t free_port(const std::string& host_address, bool udp) {
  // An IPv6 socket for both families asks for a port that is free on all addresses of either.
  sockaddr_in6 where{};
  where.sin6_family = AF_INET6;
  const std::string text = host_address.empty() || host_address == "0.0.0.0" ? "::"
                           : is_ipv6(host_address)                           ? host_address
                                                                             : "::ffff:" + host_address;
  const auto fail = [&](const char* call, long result) {
    return Error::from_errno(call, "a free port on " + (host_address.empty() ? "all addresses" : host_address),
                             raw::error_of(result));
  };
  const long fd = raw::call(SYS_socket, AF_INET6, (udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);
  if (raw::failed(fd)) throw fail("socket", fd);
  const Fd socket(static_cast<int>(fd));
  const int off = 0;
  (void)raw::call(SYS_setsockopt, fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  if (::inet_pton(AF_INET6, text.c_str(), &where.sin6_addr) != 1) throw fail("bind", -EINVAL);
  socklen_t size = sizeof where;
  long result = raw::call(SYS_bind, fd, &where, size);
  if (raw::failed(result)) throw fail("bind", result);
  result = raw::call(SYS_getsockname, fd, &where, &size);
  if (raw::failed(result)) throw fail("getsockname", result);
  return ntohs(where.sin6_port);
}

}  // namespace drydock::network
