// Networks that reach beyond the host: macvlan puts a container on the wire, vxlan lays a wire between hosts.
#include <linux/if_ether.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <string>

#include <drydock/kernel/raw.hpp>
#include <drydock/process/wait.hpp>

#include "bridged.hpp"
#include "experiments.hpp"
#include "kinds.hpp"
#include "machine.hpp"
#include "server.hpp"
#include "shared/traffic.hpp"
#include "shared/wire.hpp"

namespace drydock::chapter::veth_bridge {

namespace {

void raise(const Machine& machine, const std::string& name, const std::string& address) {
  must(name, machine.at(network::link_up(name)));
  must(address, machine.at([&] { return give_address(name, address); }));
}

}  // namespace

void macvlan(Narrator& tell) {
  tell.step("a LAN: a switch, with a host (192.0.2.10) and a printer (192.0.2.20) on it. Two containers are on the host");
  const World world;
  const Machine lan(world), host(world), printer(world), one(world), two(world);
  make_bridge(lan, "switch");
  cable({.machine = lan, .link = "port1", .bridge = "switch"}, {.machine = host, .link = "eth0", .address = "192.0.2.10"});
  cable({.machine = lan, .link = "port2", .bridge = "switch"}, {.machine = printer, .link = "eth0", .address = "192.0.2.20"});
  tell.step("ip link add link eth0 type macvlan mode bridge, born in each container, with an address of the LAN");
  tell.show("RTM_NEWLINK", host.at([&] { return sent(create_macvlan("macvlan0", "eth0", one.pid())); }), is("it succeeds"));
  must("macvlan", host.at([&] { return sent(create_macvlan("macvlan0", "eth0", two.pid())); }));
  raise(one, "macvlan0", "192.0.2.31");
  raise(two, "macvlan0", "192.0.2.32");
  const auto mac = [](const Machine& machine, const char* name) { return machine.at([=] { return link_named(name).mac; }); };
  tell.show("kind", one.at([] { return link_named("macvlan0").kind; }), is("macvlan"));
  tell.show("is its MAC another than the host's?", mac(one, "macvlan0") != mac(host, "eth0"), is(true));
  tell.show("has the printer's veth one too?", !mac(printer, "eth0").empty(), is(true));
  tell.show("ports of the switch", lan.at([] { return ports_of("switch"); }), is("port1 port2"));
  tell.step("who reaches whom, without bridge, route, NAT or published port on the host?");
  const auto reach = [](const Machine& from, const char* address, int timeout_ms) {
    return from.at([=] { return ping(address, timeout_ms); });
  };
  tell.show("container to the printer", reach(one, "192.0.2.20", 3000), is("it succeeds"));
  tell.show("printer to the container", reach(printer, "192.0.2.31", 3000), is("it succeeds"));
  tell.show("container to the other container", reach(one, "192.0.2.32", 3000), is("it succeeds"));
  tell.show("host to the printer", reach(host, "192.0.2.20", 3000), is("it succeeds"));
  tell.show("container to its host", reach(one, "192.0.2.10", short_ms), contains("ETIMEDOUT"));
  tell.show("host to its container", reach(host, "192.0.2.31", short_ms), contains("ETIMEDOUT"));
  const Child server = serve(printer, "0.0.0.0", 80, "printer");
  tell.show("whom does the printer see?", one.at([] { return hear("192.0.2.20", 80); }), is("printer hears 192.0.2.31"));
  tell.result(
      "every link has a MAC; macvlan shows it to the LAN, as if the container were a machine there. What a parent sends goes "
      "out, so host and container do not meet.");
}

namespace {

// Sniffs at a link until a datagram to the port of vxlan passes: who sends it to whom, and what the packet inside says.
std::string next_vxlan_packet(const Fd& sniffer) {
  constexpr std::size_t outer_ip = 14, outer_udp = outer_ip + 20, inner_ip = outer_udp + 8 + 8 + 14;
  const auto address = [](const unsigned char* bytes) {
    return std::to_string(bytes[0]) + "." + std::to_string(bytes[1]) + "." + std::to_string(bytes[2]) + "." +
           std::to_string(bytes[3]);
  };
  unsigned char packet[2048];
  while (process::wait_readable(sniffer.get(), 3000)) {
    const long size = raw::call(SYS_read, sniffer.get(), packet, sizeof packet);
    const bool is_vxlan = size > static_cast<long>(inner_ip + 20) && packet[outer_ip + 9] == IPPROTO_UDP &&
                          packet[outer_udp + 2] * 256 + packet[outer_udp + 3] == 4789;
    const bool is_echo =
        is_vxlan && packet[inner_ip - 2] == 8 && packet[inner_ip - 1] == 0 && packet[inner_ip + 9] == IPPROTO_ICMP;
    if (is_echo)
      return "from " + address(packet + outer_ip + 12) + " to " + address(packet + outer_ip + 16) + ", inside: from " +
             address(packet + inner_ip + 12) + " to " + address(packet + inner_ip + 16);
  }
  return "no such packet";
}

Fd sniffer_of_everything() {
  return socket_of(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));
}

// A bridge with one container, and a vxlan port to the other host.
void half(const Machine& host, const std::string& here, const std::string& there, const Machine& container,
          const std::string& address) {
  make_bridge(host, "overlay");
  must("vxlan", host.at([&] { return sent(create_vxlan("vxlan0", 42, "eth0", here, there)); }));
  must("vxlan up", host.at(network::link_up("vxlan0")));
  must("vxlan port", host.at([] { return sent(plug("vxlan0", "overlay")); }));
  cable({.machine = host, .link = "veth0", .bridge = "overlay"}, {.machine = container, .link = "eth0", .address = address});
}

}  // namespace

void vxlan(Narrator& tell) {
  tell.step(
      "two hosts, 192.0.2.1 and 192.0.2.2, on one cable; a container on each, 10.10.0.2 and 10.10.0.3, on a bridge \"overlay\"");
  const World world;
  const Machine left(world), right(world), one(world), two(world);
  cable({.machine = left, .link = "eth0", .address = "192.0.2.1"}, {.machine = right, .link = "eth0", .address = "192.0.2.2"});
  tell.step("ip link add vxlan0 type vxlan id 42 dev eth0 local ... remote ... dstport 4789, as a port of each bridge");
  half(left, "192.0.2.1", "192.0.2.2", one, "10.10.0.2");
  half(right, "192.0.2.2", "192.0.2.1", two, "10.10.0.3");
  tell.show("ports of the first bridge", left.at([] { return ports_of("overlay"); }), is("veth0 vxlan0"));
  tell.show("ports of the second bridge", right.at([] { return ports_of("overlay"); }), is("veth0 vxlan0"));
  tell.show("routes of the first host", left.at(routes), is("192.0.2.0/24"));
  tell.show("10.10.0.2 pings 10.10.0.3", one.at([] { return ping("10.10.0.3"); }), is("it succeeds"));
  tell.show("the first host pings 10.10.0.3", left.at([] { return ping("10.10.0.3", short_ms); }), contains("ENETUNREACH"));
  tell.step("the cable between the hosts, seen by the second one");
  Child sniffer = right.process([](Talk& talk) {
    const Fd packets = sniffer_of_everything();
    talk.say("ready");
    talk.say(next_vxlan_packet(packets));
    return 0;
  });
  sniffer.talk().line();
  must("ping", one.at([] { return ping("10.10.0.3"); }));
  tell.show("an echo", sniffer.talk().line(), is("from 192.0.2.1 to 192.0.2.2, inside: from 10.10.0.2 to 10.10.0.3"));
  tell.show("MTU: eth0 of the host, vxlan0",
            left.at([] { return std::to_string(link_named("eth0").mtu) + ", " + std::to_string(link_named("vxlan0").mtu); }),
            is("1500, 1450"));
  tell.result(
      "an overlay network is a cable made of datagrams: frames of one bridge travel inside UDP to the other, 50 bytes longer.");
}

}  // namespace drydock::chapter::veth_bridge
