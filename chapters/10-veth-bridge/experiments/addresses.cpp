// Which addresses a network may have, who hands them out, and what the kernel says to the notes' configuration of the default
// bridge.
#include <arpa/inet.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <array>
#include <string>

#include <drydock/kernel/error.hpp>
#include <drydock/kernel/raw.hpp>
#include <drydock/kernel/sys.hpp>
#include <drydock/network/links.hpp>
#include <drydock/network/message_builder.hpp>
#include <drydock/network/pool.hpp>

#include "arp.hpp"
#include "bridged.hpp"
#include "experiments.hpp"
#include "machine.hpp"
#include "server.hpp"
#include "shared/scratch.hpp"
#include "shared/traffic.hpp"
#include "shared/wire.hpp"

namespace drydock::chapter::veth_bridge {

using network::MessageBuilder;

namespace {

// The refusal of whoever throws, without its remedy: "SUBJECT: reason".
template <typename Act>
std::string refusal_of(Act act) {
  try {
    act();
    return "it succeeds";
  } catch (const Error& error) {
    const std::string words = error.what();
    return words.substr(0, words.find(';'));
  }
}

}  // namespace

void by_guess(Narrator& tell) {
  tell.step("a container of this chapter on drydock0; a second one gets 172.29.42.99 by hand, as the notes do it");
  const World world;
  const Machine host(world), hand_made(world);
  const std::string directory = scratch_path();
  const Bridged first(tell, host, {.scratch = directory});
  cable({.machine = host, .link = "hand", .bridge = "drydock0"},
        {.machine = hand_made, .link = "eth0", .address = "172.29.42.99", .prefix = 16});
  tell.show("machines that claim it (ARP)", host.at([] { return arp_answers("drydock0", "172.29.42.99"); }), is("1"));
  tell.step("the address pool of drydock is asked for the same one. It knows its own leases");
  const auto leased = [&](const char* wanted) {
    return host.at([&] {
      return network::Pool(network::Pool::HostDirectory{directory}, {})
          .lease("0123456789abcdef", "drydock-none", ipv4(wanted))
          .text();
    });
  };
  tell.show("it leases", leased("172.29.42.99"), is("172.29.42.99"));
  const Bridged second(tell, host, {.address = "172.29.42.99"});
  tell.show("machines that claim it", host.at([] { return arp_answers("drydock0", "172.29.42.99"); }), is("2"));
  tell.show("and the second one has it", second.inside().at([] { return addresses_of("eth0"); }), is("172.29.42.99/16"));
  tell.result("an address is no reservation. Whoever gives one by hand must ask first, or take it out of the pool's range.");
}

namespace {

// Over which link the host would send.
std::string way_to(const std::string& address) {
  const sockaddr_in to = socket_address(address, 9);
  sockaddr_in from{};
  const Fd socket = socket_of(AF_INET, SOCK_DGRAM);
  if (const Outcome known{raw::call(SYS_connect, socket.get(), &to, sizeof to)}; known.failed()) return text(known);
  socklen_t size = sizeof from;
  raw::call(SYS_getsockname, socket.get(), &from, &size);
  const std::string own = network::Ipv4{ntohl(from.sin_addr.s_addr)}.text();
  for (const network::Address& one : network::addresses())
    for (const network::Link& link : network::links())
      if (one.address == own && one.link == link.index) return link.name;
  return "none";
}

}  // namespace

void wide_subnet(Narrator& tell) {
  tell.step("a host; its router, 198.51.100.254, knows the way to a machine called 192.168.99.100");
  const World world;
  const Machine host(world), router(world), container(world), other(world);
  cable({.machine = host, .link = "uplink", .address = "198.51.100.1"},
        {.machine = router, .link = "eth0", .address = "198.51.100.254"});
  must("far", router.at([] { return give_address("lo", "192.168.99.100", 32); }));
  set_default_route(host, "198.51.100.254");
  const auto way = [&] { return host.at([] { return way_to("192.168.99.100"); }); };
  tell.show("way to 192.168.99.100", way(), is("uplink"));
  tell.show("ping", host.at([] { return ping("192.168.99.100"); }), is("it succeeds"));
  tell.step("docker network create --subnet=192.168.0.0/16 --ip-range=192.168.5.0/24: a bridge with 192.168.0.1/16");
  make_bridge(host, "br0", "192.168.0.1", 16);
  cable({.machine = host, .link = "veth0", .bridge = "br0"},
        {.machine = container, .link = "eth0", .address = "192.168.5.1", .prefix = 16});
  cable({.machine = host, .link = "veth1", .bridge = "br0"},
        {.machine = other, .link = "eth0", .address = "192.168.77.1", .prefix = 16});
  tell.show("first container, out of the range", container.at([] { return addresses_of("eth0"); }), is("192.168.5.1/16"));
  tell.show("its route", container.at(routes), is("192.168.0.0/16"));
  tell.show("it pings 192.168.77.1", container.at([] { return ping("192.168.77.1"); }), is("it succeeds"));
  tell.show("way of the host to 192.168.99.100", way(), is("br0"));
  tell.show("ping", host.at([] { return ping("192.168.99.100", short_ms); }), contains("ETIMEDOUT"));
  tell.step("and where the host is on 192.168.99.0/24 itself: Drydock looks at the routes before it makes a bridge");
  must("br0", host.at(network::delete_link("br0")));
  must("lan", router.at([] { return give_address("eth0", "192.168.99.100", 24); }));
  must("lan", host.at([] { return give_address("uplink", "192.168.99.1", 24); }));
  tell.show("a bridge with 192.168.0.0/16", host.at([] {
    return refusal_of([] { network::inspect_host({.name = "drydock0", .subnet = network::Subnet::parse("192.168.0.0/16")}); });
  }),
            contains("already has a route to 192.168.99.0/24"));
  tell.result("a /16 for a dozen containers takes 65536 addresses from the host. The range only says which ones are handed out.");
}

namespace {

network::Message about_ipv6(std::uint16_t type, const std::string& link, const std::string& address, int prefix) {
  std::array<unsigned char, 16> bytes{};
  if (::inet_pton(AF_INET6, address.c_str(), bytes.data()) != 1) throw Error::refused("address " + address, "it is none");
  MessageBuilder message(type, NLM_F_CREATE | NLM_F_EXCL);
  if (type == RTM_NEWADDR) {
    auto& head = message.extra<ifaddrmsg>();
    head.ifa_family = AF_INET6;
    head.ifa_prefixlen = static_cast<std::uint8_t>(prefix);
    head.ifa_flags = IFA_F_NODAD;
    head.ifa_index = static_cast<std::uint32_t>(index_of(link));
    message.raw(IFA_LOCAL, bytes.data(), bytes.size());
  } else {
    auto& head = message.extra<rtmsg>();
    head.rtm_family = AF_INET6;
    head.rtm_table = RT_TABLE_MAIN;
    head.rtm_protocol = RTPROT_BOOT;
    head.rtm_type = RTN_UNICAST;
    message.raw(RTA_GATEWAY, bytes.data(), bytes.size());
  }
  return message.finish(type == RTM_NEWADDR ? "RTM_NEWADDR " + address : "RTM_NEWROUTE default via " + address);
}

bool set_disable_ipv6(const char* value) {
  for (const char* link : {"default", "all"})
    sys::write_file("/proc/sys/net/ipv6/conf/" + std::string(link) + "/disable_ipv6", value);
  return true;
}

}  // namespace

void daemon_json(Narrator& tell) {
  tell.step("\"bip\": \"192.168.1.5/24\" and \"mtu\": 1500: the bridge's address, and the size of packets");
  const World world;
  const Machine host(world), container(world);
  make_bridge(host, "docker0");
  tell.show("the bridge", host.at([] { return give_address("docker0", "192.168.1.5"); }), is("it succeeds"));
  cable({.machine = host, .link = "veth0", .bridge = "docker0"},
        {.machine = container, .link = "eth0", .address = "192.168.1.10"});
  const auto mtu = [](const Machine& machine, const char* name) { return machine.at([=] { return link_named(name).mtu; }); };
  tell.show("MTU in the container", mtu(container, "eth0"), is("1500"));
  const Bridged smaller(tell, {.change = [](Sketch& sketch) { sketch.request.bridge.mtu = 1400; }});
  tell.show("with 1400, in one of this chapter", mtu(smaller.inside(), "eth0"), is("1400"));
  tell.step("\"fixed-cidr\": \"192.168.1.5/25\", the range for containers");
  const auto range = [](const char* subnet) { return refusal_of([=] { network::Subnet::parse(subnet); }); };
  tell.show("192.168.1.5/25", range("192.168.1.5/25"), contains("bits set in the host part"));
  tell.show("192.168.1.0/25", range("192.168.1.0/25"), is("it succeeds"));
  tell.show("is .127 in it, and .128?",
            std::string(network::Subnet::parse("192.168.1.0/25").contains(ipv4("192.168.1.127")) ? "yes" : "no") +
                (network::Subnet::parse("192.168.1.0/25").contains(ipv4("192.168.1.128")) ? ", yes" : ", no"),
            is("yes, no"));
  tell.step("\"default-gateway\": \"10.20.1.1\"");
  tell.show("RTM_NEWROUTE, in the container", container.at(network::add_default_route(ipv4("10.20.1.1"))),
            contains("ENETUNREACH"));
  tell.show("with 192.168.1.254", container.at(network::add_default_route(ipv4("192.168.1.254"))), is("it succeeds"));
  tell.step("\"fixed-cidr-v6\": \"2001:db8::/64\", where \"ipv6\" is not set: Docker leaves IPv6 off in the container then");
  const auto with_ipv6 = [&](std::uint16_t type, const char* address) {
    return container.at([=] { return sent(about_ipv6(type, "eth0", address, 64)); });
  };
  container.at([] { return set_disable_ipv6("1"); });
  tell.show("RTM_NEWADDR 2001:db8::10/64", with_ipv6(RTM_NEWADDR, "2001:db8::10"), contains("EACCES"));
  container.at([] { return set_disable_ipv6("0"); });
  tell.show("the same with IPv6 on", with_ipv6(RTM_NEWADDR, "2001:db8::10"), is("it succeeds"));
  tell.step("\"default-gateway-v6\": \"2001:db8:abcd::89\"");
  tell.show("RTM_NEWROUTE", with_ipv6(RTM_NEWROUTE, "2001:db8:abcd::89"), contains("EHOSTUNREACH"));
  tell.show("with 2001:db8::89", with_ipv6(RTM_NEWROUTE, "2001:db8::89"), is("it succeeds"));
  tell.result(
      "a gateway must be a neighbour: in the subnet of an address one has. dockerd refuses this file for the reason for which "
      "the kernel refuses the route.");
}

}  // namespace drydock::chapter::veth_bridge
