// The bridge: who is on it, where it comes from, and what a second one changes.
#include <arpa/inet.h>  // before the kernel's linux/in.h, which it then keeps quiet
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <sys/socket.h>

#include <string>
#include <utility>

#include <drydock/network/links.hpp>
#include <drydock/network/nat_batch.hpp>

#include "bridged.hpp"
#include "experiments.hpp"
#include "machine.hpp"
#include "shared/look.hpp"
#include "shared/payload.hpp"
#include "shared/traffic.hpp"
#include "shared/wire.hpp"

namespace drydock::chapter::veth_bridge {

namespace {

std::string kind_of(const std::string& name) {
  return link_named(name).kind;
}

// As `ip route` prints it.
std::string route_to(const std::string& destination) {
  for (const network::Route& one : network::routes())
    if (one.family == AF_INET && one.destination == destination)
      return std::string(one.by_kernel ? "proto kernel" : "static") +
             (one.gateway.empty() ? ", no gateway" : ", via " + one.gateway) + (one.link_down ? ", linkdown" : "");
  return "none";
}

}  // namespace

void default_bridge(Narrator& tell) {
  tell.step("a container of this chapter, as it comes. On its host:");
  const Bridged container(tell);
  const std::string port = network::veth_name(container.id());
  const auto host = [&](auto look) { return container.host().at(look); };
  const auto inside = [&](auto look) { return container.inside().at(look); };
  tell.show("kind of drydock0", host([] { return kind_of("drydock0"); }), is("bridge"));
  tell.show("is its port named by the id?", host([&] { return ports_of("drydock0") == port; }), is("yes"));
  tell.show("kind of the port", host([&] { return kind_of(port); }), is("veth"));
  tell.show("IPv4 addresses of the port", host([&] { return addresses_of(port); }), is("none"));
  tell.show("is there an eth0 on the host?", host([] { return has_link("eth0"); }), is("no"));
  tell.step("in the container:");
  tell.show("its links", inside(names_of_links), is("eth0 lo"));
  tell.show("kind of eth0", inside([] { return kind_of("eth0"); }), is("veth"));
  tell.show("is N of eth0@ifN the port's number?",
            inside([] { return link_named("eth0").peer; }) == host([&] { return link_named(port).index; }), is(true));
  tell.show("and the port's N that of eth0?",
            host([&] { return link_named(port).peer; }) == inside([] { return link_named("eth0").index; }), is(true));
  tell.show("address of eth0", inside([] { return addresses_of("eth0"); }), is("172.29.0.2/16"));
  tell.show("default route via", inside(gateway), is("172.29.0.1"));
  tell.show("is that an address of drydock0?", host([] { return addresses_of("drydock0"); }), is("172.29.0.1/16"));
  tell.result("the host's end is a socket in the wall: it has no address, so nothing can be routed to it. The bridge has one.");
}

void connected_route(Narrator& tell) {
  tell.step("ip link add docker0 type bridge; ip addr add 172.17.0.1/16 dev docker0; ip link set docker0 up");
  const World world;
  const Machine host(world);
  tell.show("routes, before", host.at(routes), is("none"));
  make_bridge(host, "docker0", "172.17.0.1", 16);
  const auto route = [&] { return host.at([] { return route_to("172.17.0.0/16"); }); };
  const auto settles = [&](const char* state) {
    return host.at([=] { return eventually([=] { return state_of("docker0") == state; }) ? state_of("docker0") : "neither"; });
  };
  tell.show("kind of docker0", host.at([] { return kind_of("docker0"); }), is("bridge"));
  tell.show("docker0", settles("no carrier"), is("no carrier"));
  tell.show("route to 172.17.0.0/16", route(), is("proto kernel, no gateway, linkdown"));
  tell.step("a container is plugged in");
  {
    const Machine container(world);
    cable({.machine = host, .link = "veth0", .bridge = "docker0"},
          {.machine = container, .link = "eth0", .address = "172.17.0.2", .prefix = 16});
    tell.show("docker0", settles("up"), is("up"));
    tell.show("route to 172.17.0.0/16", route(), is("proto kernel, no gateway"));
  }
  tell.step("the container ends");
  tell.show("docker0", settles("no carrier"), is("no carrier"));
  tell.show("route to 172.17.0.0/16", route(), is("proto kernel, no gateway, linkdown"));
  tell.result(
      "nobody added a static route: it came with the address, and it goes with it. docker0 is a switch, no network card.");
}

void made_when(Narrator& tell) {
  tell.step("a host on which nothing has been started. Installing a program makes no link");
  const World world;
  const Machine host(world);
  tell.show("links", host.at(names_of_links), is("lo"));
  tell.step("a container starts, and ends");
  const auto starts = [&] { return Bridged(tell, host).inside().at([] { return addresses_of("eth0"); }); };
  tell.show("address of its eth0", starts(), is("172.29.0.2/16"));
  tell.show("links", host.at([] {
    eventually([] { return ports_of("drydock0") == "none"; });
    return names_of_links();
  }),
            is("drydock0 lo"));
  tell.step("ip link del drydock0; the next container starts");
  tell.show("RTM_DELLINK", host.at(network::delete_link("drydock0")), is("it succeeds"));
  tell.show("links", host.at(names_of_links), is("lo"));
  tell.show("address of its eth0", starts(), is("172.29.0.2/16"));
  tell.show("address of drydock0", host.at([] { return addresses_of("drydock0"); }), is("172.29.0.1/16"));
  tell.result("a bridge is made by whoever needs it first, dockerd when it starts. The containers have links of their own.");
}

namespace {

// What Docker's isolation chains come to, for two bridges.
Outcome keep_apart(const std::string& one, const std::string& other) {
  network::Batch batch;
  batch.table("apart", "two bridges", 0);
  batch.chain("apart", "forward", "filter", NF_INET_FORWARD, NF_IP_PRI_FILTER);
  for (const auto& [from, to] : {std::pair(one, other), std::pair(other, one)}) {
    network::Rule rule;
    rule.in_interface(network::Cmp::equal, from).out_interface(network::Cmp::equal, to).drop();
    batch.rule("apart", "forward", rule);
  }
  return sent({{batch.finish(), "NFT_MSG_NEWTABLE ip apart"}, {}}, NETLINK_NETFILTER);
}

}  // namespace

void second_bridge(Narrator& tell) {
  tell.step("docker network create my-net --subnet 172.30.0.0/16 -o com.docker.network.bridge.name=docker02: one more bridge");
  const World world;
  const Machine host(world), one(world), two(world), both(world);
  make_bridge(host, "docker0", "172.17.0.1", 16);
  make_bridge(host, "docker02", "172.30.0.1", 16);
  make_router(host);
  const auto plug_in = [&](const Machine& container, const char* bridge, const char* link, const char* inner,
                           const char* address) {
    cable({.machine = host, .link = link, .bridge = bridge},
          {.machine = container, .link = inner, .address = address, .prefix = 16});
  };
  tell.show("address of docker02", host.at([] { return addresses_of("docker02"); }), is("172.30.0.1/16"));
  tell.show("routes of the host", host.at(routes), is("172.17.0.0/16 172.30.0.0/16"));
  tell.step("three containers: one on docker0, two on docker02, and one with a cable to each");
  plug_in(one, "docker0", "veth1", "eth0", "172.17.0.2");
  plug_in(two, "docker02", "veth2", "eth0", "172.30.0.2");
  plug_in(both, "docker0", "veth3", "eth0", "172.17.0.3");
  plug_in(both, "docker02", "veth4", "eth1", "172.30.0.3");
  set_default_route(one, "172.17.0.1");
  set_default_route(two, "172.30.0.1");
  tell.show("addresses of the third", both.at(addresses), is("127.0.0.1/8 172.17.0.3/16 172.30.0.3/16"));
  tell.show("ports of docker02", host.at([] { return ports_of("docker02"); }), is("veth2 veth4"));
  tell.show("third pings first", both.at([] { return ping("172.17.0.2"); }), is("it succeeds"));
  tell.show("third pings second", both.at([] { return ping("172.30.0.2"); }), is("it succeeds"));
  tell.show("first pings second", one.at([] { return ping("172.30.0.2"); }), is("it succeeds"));
  tell.step(
      "the host is a router, and routes between its bridges too. A rule for that: what goes from one to the other is dropped");
  tell.show("the rule", host.at([] { return keep_apart("docker0", "docker02"); }), is("it succeeds"));
  tell.show("first pings second", one.at([] { return ping("172.30.0.2", short_ms); }), contains("ETIMEDOUT"));
  tell.show("second pings first", two.at([] { return ping("172.17.0.2", short_ms); }), contains("ETIMEDOUT"));
  tell.show("third pings second", both.at([] { return ping("172.30.0.2"); }), is("it succeeds"));
  tell.result(
      "a bridge joins, it does not separate. Networks are kept apart by rules of the host, which Docker adds for each one.");
}

void live(Narrator& tell) {
  tell.step("a container on the default bridge runs `cat`; the host gets a second bridge, my-net");
  const World world;
  const Machine host(world);
  Bridged container(tell, host);
  make_bridge(host, "my-net", "172.30.0.1", 16);
  const std::string port = network::veth_name(container.id());
  const auto links = [&] { return container.inside().at(names_of_links); };
  const auto echo = [&](const char* words) {
    container.payload().talk().say(words);
    return container.payload().talk().line();
  };
  tell.show("its links", links(), is("eth0 lo"));
  tell.step("docker network connect my-net: a cable into the running container");
  cable({.machine = host, .link = "veth1", .bridge = "my-net"},
        {.machine = container.inside(), .link = "eth1", .address = "172.30.0.2", .prefix = 16});
  tell.show("its links", links(), is("eth0 eth1 lo"));
  tell.show("ping 172.29.0.1, the default bridge", container.inside().at([] { return ping("172.29.0.1"); }), is("it succeeds"));
  tell.show("ping 172.30.0.1, my-net", container.inside().at([] { return ping("172.30.0.1"); }), is("it succeeds"));
  tell.show("cat", echo("still the same"), is("still the same"));
  tell.step("docker network disconnect bridge: the cable to the default bridge is taken away");
  tell.show("RTM_DELLINK", host.at(network::delete_link(port)), is("it succeeds"));
  tell.show("its links", container.inside().at([] {
    eventually([] { return !has_link("eth0"); });
    return names_of_links();
  }),
            is("eth1 lo"));
  tell.show("ping 172.30.0.1", container.inside().at([] { return ping("172.30.0.1"); }), is("it succeeds"));
  tell.show("cat", echo("and again"), is("and again"));
  tell.result("links come and go while the program runs, on the default bridge as on any other. Nothing has to be stopped.");
}

}  // namespace drydock::chapter::veth_bridge
