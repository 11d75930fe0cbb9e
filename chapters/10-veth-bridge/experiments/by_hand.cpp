// The notes' manual configuration of a container's network, step by step.
#include <string>

#include <drydock/network/nat.hpp>

#include "bridged.hpp"
#include "experiments.hpp"
#include "kinds.hpp"
#include "machine.hpp"
#include "resolver.hpp"
#include "shared/traffic.hpp"
#include "shared/wire.hpp"

namespace drydock::chapter::veth_bridge {

namespace {

const std::string outside_address = "198.51.100.7";

network::BridgeConfig docker0() {
  return {.name = "docker0", .subnet = network::Subnet::parse("172.17.0.0/16")};
}

// Steps 5 and 6 of the notes.
void lay_by_hand(Narrator& tell, const Machine& host, const Machine& container) {
  tell.step("5: ip link add A type veth peer name B; brctl addif docker0 A; ip link set A up");
  tell.show("RTM_NEWLINK", host.at(create_pair("A", "B")), is("it succeeds"));
  tell.show("links here", host.at(names_of_links), is("A B docker0 lo uplink"));
  tell.show("A, B", host.at([] { return state_of("A") + ", " + state_of("B"); }), is("down, down"));
  tell.show("A into the bridge", host.at([] { return sent(plug("A", "docker0")); }), is("it succeeds"));
  tell.show("ports of docker0", host.at([] { return ports_of("docker0"); }), is("A"));
  must("A", host.at(network::link_up("A")));
  tell.show("A, set up", host.at([] { return state_of("A"); }), is("no carrier"));
  tell.step("6a-c: ip link set B netns PID; in there: name eth0, up");
  tell.show("B moves", host.at([&] { return sent(move_link("B", container.pid())); }), is("it succeeds"));
  tell.show("links", Sides{host.at(names_of_links), container.at(names_of_links)}, are("A docker0 lo uplink", "B lo"));
  tell.show("B is renamed", container.at([] { return sent(rename_link("B", "eth0")); }), is("it succeeds"));
  must("eth0", container.at(network::link_up("eth0")));
  tell.show("A, eth0", Sides{host.at([] { return state_of("A"); }), container.at([] { return state_of("eth0"); })},
            are("up", "up"));
}

}  // namespace

void by_hand(Narrator& tell) {
  tell.step("1: docker run --net=none. Here: a container of this chapter, but without bridge and cable");
  const World world;
  const Machine host(world), outside(world);
  const Bridged without(tell, host, {.change = without_network});
  const Machine& container = without.inside();
  tell.show("its links", container.at(names_of_links), is("lo"));
  tell.step("4: ip addr show docker0. The notes see 172.17.42.1/16; Docker takes 172.17.0.1/16 since 1.9");
  make_bridge(host, "docker0", "172.17.0.1", 16);
  cable({.machine = host, .link = "uplink", .address = "198.51.100.1"},
        {.machine = outside, .link = "eth0", .address = outside_address});
  tell.show("addresses of docker0", host.at([] { return addresses_of("docker0"); }), is("172.17.0.1/16"));
  lay_by_hand(tell, host, container);
  tell.step("6d: ip addr add 172.17.42.99/16 dev eth0");
  tell.show("RTM_NEWADDR", container.at([] { return give_address("eth0", "172.17.42.99", 16); }), is("it succeeds"));
  tell.show("routes, made by that", container.at(routes), is("172.17.0.0/16"));
  tell.show("ping 172.17.0.1, the bridge", container.at([] { return ping("172.17.0.1"); }), is("it succeeds"));
  tell.step("6e: ip route add default via 172.17.42.1, as the notes have it");
  const auto try_outside = [&] { return container.at([] { return ping(outside_address, short_ms); }); };
  tell.show("RTM_NEWROUTE", container.at(network::add_default_route(ipv4("172.17.42.1"))), is("it succeeds"));
  tell.show("ping 198.51.100.7, outside", try_outside(), contains("ETIMEDOUT"));
  tell.step("the right gateway is the bridge's own address, whatever it is");
  container.at(delete_route_to_all());
  tell.show("RTM_NEWROUTE via 172.17.0.1", container.at(network::add_default_route(ipv4("172.17.0.1"))), is("it succeeds"));
  tell.show("ping outside", try_outside(), contains("ETIMEDOUT"));
  tell.step("the notes end here. What is missing: ip_forward on the host, then masquerading");
  make_router(host);
  tell.show("ping outside, with ip_forward", try_outside(), contains("ETIMEDOUT"));
  tell.show("the table with masquerade", host.at([] { return sent(network::nat_table(docker0()), NETLINK_NETFILTER); }),
            is("it succeeds"));
  tell.show("ping outside, with both", container.at([] { return ping(outside_address); }), is("it succeeds"));
  tell.step("and a name: a server at 198.51.100.7, which the container's resolv.conf has to name");
  const Child server = serve_names(outside, outside_address, {{"outside.example", outside_address}});
  tell.show("outside.example is",
            container.at([] { return address_of("outside.example", {.resolv_conf = "nameserver " + outside_address + "\n"}); }),
            is(outside_address));
  tell.result(
      "a route to a gateway that nobody is, is accepted without a word. The kernel asks who it is when a packet must go.");
}

}  // namespace drydock::chapter::veth_bridge
