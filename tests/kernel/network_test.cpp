// A bridge network built message by message, on a host of the test's own.
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netlink.h>
#include <netinet/in.h>

#include <algorithm>

#include <drydock/network/bridge.hpp>
#include <drydock/network/links.hpp>
#include <drydock/network/nat_query.hpp>
#include <drydock/network/pool.hpp>
#include <drydock/plan/executor/netlink_io.hpp>

#include "kernel/network_world.hpp"

using namespace drydock;
using namespace drydock::network;
using namespace drydock::test;

TEST_CASE("one message makes both ends of a link, each where it belongs", "[network][N1-122][N0-111]") {
  if (sys::geteuid() != 0) DRYDOCK_SKIP("not root; run with sudo");
  on_own_host([] {
    const BridgeConfig config;
    bring_up(config);
    const Netlink route(NETLINK_ROUTE);
    const Container container(config, "7f3a0001", *Ipv4::parse("172.29.0.2"));

    const auto bridge = find_link(route, "drydock0");
    REQUIRE(bridge);
    CHECK(bridge->kind == "bridge");
    CHECK(bridge->up);
    CHECK(bridge->mac == config.mac().text());
    const auto host_end = find_link(route, "drydock7f3a0001");
    REQUIRE(host_end);
    CHECK(host_end->kind == "veth");
    CHECK(host_end->up);
    CHECK(host_end->master == bridge->index);
    CHECK(host_end->peer_namespace);
    CHECK_FALSE(find_link(route, "eth0"));
    CHECK(first_address("drydock0") == config.gateway());

    const auto inner = inside(container);
    CHECK(inner.links.size() >= 2);
    const auto eth0 = std::find_if(inner.links.begin(), inner.links.end(), [](const Link& l) { return l.name == "eth0"; });
    REQUIRE(eth0 != inner.links.end());
    CHECK(eth0->mac == "02:dd:ac:1d:00:02");
    CHECK(eth0->peer == host_end->index);
    CHECK(std::count(inner.addresses.begin(), inner.addresses.end(), Address{eth0->index, AF_INET, "172.29.0.2", 16}) == 1);
    CHECK(std::any_of(inner.routes.begin(), inner.routes.end(), [&](const Route& r) {
      return r.destination == "default" && r.gateway == "172.29.0.1" && r.link == eth0->index;
    }));
  });
}

TEST_CASE("the link goes with its namespace, and nobody deletes it", "[network]") {
  if (sys::geteuid() != 0) DRYDOCK_SKIP("not root; run with sudo");
  on_own_host([] {
    const BridgeConfig config;
    bring_up(config);
    const Netlink route(NETLINK_ROUTE);
    {
      const Container container(config, "7f3a0002", *Ipv4::parse("172.29.0.2"));
      REQUIRE(find_link(route, "drydock7f3a0002"));
    }
    CHECK(eventually([&] { return !find_link(route, "drydock7f3a0002"); }));
  });
}

TEST_CASE("the kernel makes the route of an address, and marks it while the link has no carrier", "[network]") {
  if (sys::geteuid() != 0) DRYDOCK_SKIP("not root; run with sudo");
  on_own_host([] {
    const BridgeConfig config;
    bring_up(config);
    Netlink(NETLINK_ROUTE).send(add_default_route(config.subnet.address(9)).bytes);
    const auto route_to = [](const std::string& destination) {
      for (const Route& route : routes())
        if (route.family == AF_INET && route.destination == destination) return route;
      return Route{};
    };
    CHECK(eventually([&] { return route_to("172.29.0.0/16").link_down; }));
    CHECK(route_to("172.29.0.0/16").by_kernel);
    CHECK(route_to("default").gateway == "172.29.0.9");
    CHECK_FALSE(route_to("default").by_kernel);
    const Container container(config, "7f3a0004", *Ipv4::parse("172.29.0.2"));
    CHECK(eventually([&] { return !route_to("172.29.0.0/16").link_down; }));
  });
}

TEST_CASE("two containers reach each other by address, and the host reaches both", "[network][N0-061][N1-088]") {
  if (sys::geteuid() != 0) DRYDOCK_SKIP("not root; run with sudo");
  on_own_host([] {
    const BridgeConfig config;
    bring_up(config);
    const Container server(config, "7f3a0003", *Ipv4::parse("172.29.0.2"));
    const Container client(config, "7f3a0004", *Ipv4::parse("172.29.0.3"), false);
    CHECK(ask("172.29.0.2", 80) == "peer 172.29.0.1");
    CHECK(ask_from(client, "172.29.0.2", 80) == "peer 172.29.0.3");
  });
}

TEST_CASE("what leaves the bridge has the host's address, what comes unasked is dropped", "[network][N1-088]") {
  if (sys::geteuid() != 0) DRYDOCK_SKIP("not root; run with sudo");
  on_own_host([] {
    const BridgeConfig config;
    bring_up(config);
    const Outside outside;  // 10.77.0.2, with a server on port 80; the host is 10.77.0.1
    const Container container(config, "7f3a0005", *Ipv4::parse("172.29.0.2"));
    CHECK(ask_from(container, "10.77.0.2", 80) == "peer 10.77.0.1");
    CHECK(ask_from(outside, "172.29.0.2", 80, 300) == "");
    CHECK(ask("172.29.0.2", 80) == "peer 172.29.0.1");
  });
}

TEST_CASE("bringing up twice changes nothing, and the state of the host is read back", "[network]") {
  if (sys::geteuid() != 0) DRYDOCK_SKIP("not root; run with sudo");
  on_own_host([] {
    const BridgeConfig config;
    HostNetwork host = inspect_host(config);
    CHECK_FALSE(host.bridge_ready);
    CHECK_FALSE(host.nat_ready);
    CHECK_FALSE(host.forwarding);
    bring_up(config);
    host = inspect_host(config);
    CHECK(host.bridge_ready);
    CHECK(host.bridge_index == find_link(Netlink(NETLINK_ROUTE), "drydock0")->index);
    CHECK(host.nat_ready);
    CHECK(host.forwarding);
    try {
      Netlink(NETLINK_NETFILTER).send(nat_table(config).bytes);
      FAIL("the table was there already");
    } catch (const Error& error) {
      CHECK(error.code() == EEXIST);
    }
    BridgeConfig other = config;
    other.subnet = Subnet::parse("10.9.0.0/16");
    CHECK(nat_state(other) == NatState::stale);
    Netlink(NETLINK_NETFILTER).send(nat_table(other, true).bytes);
    CHECK(nat_state(other) == NatState::ready);
  });
}

TEST_CASE("somebody else's bridge, table or route is named and left alone", "[network]") {
  if (sys::geteuid() != 0) DRYDOCK_SKIP("not root; run with sudo");
  const auto refusal = [](const BridgeConfig& config) -> std::string {
    try {
      inspect_host(config);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  on_own_host([&] {
    const BridgeConfig config;
    const Netlink route(NETLINK_ROUTE);
    route.send(create_bridge("drydock0", mac_of(*Ipv4::parse("1.2.3.4"))).bytes);
    CHECK(refusal(config).find("link drydock0: a link of this name exists that Drydock did not make (bridge)") !=
          std::string::npos);
    BridgeConfig other = config;
    other.name = "drydock1";
    CHECK(refusal(other).empty());
    const Outside outside;
    other.subnet = Subnet::parse("10.77.0.0/16");
    CHECK(refusal(other).find("this machine already has a route to 10.77.0.0/24") != std::string::npos);
    other.subnet = config.subnet;
    foreign_table();
    CHECK(refusal(other).find("nftables table ip drydock: it exists, and Drydock did not make it") != std::string::npos);
  });
}

TEST_CASE("the kernel's own words arrive", "[network]") {
  if (sys::geteuid() != 0) DRYDOCK_SKIP("not root; run with sudo");
  on_own_host([] {
    const Netlink route(NETLINK_ROUTE);
    try {
      route.send(add_default_route(*Ipv4::parse("203.0.113.1")).bytes);
      FAIL("there is no way to that gateway");
    } catch (const Error& error) {
      CHECK(error.code() == ENETUNREACH);
      CHECK(error.reason().find("Nexthop has invalid gateway") != std::string::npos);
    }
  });
}

TEST_CASE("executor: index and deletion of links", "[network]") {
  if (sys::geteuid() != 0) DRYDOCK_SKIP("not root; run with sudo");
  on_own_host([] {
    using namespace plan::executor;
    const Netlink route(NETLINK_ROUTE);
    CHECK(link_index(route.fd().get(), "lo") == 1);
    CHECK(link_index(route.fd().get(), "drydock0") == -ENODEV);
    route.send(create_bridge("drydock0", BridgeConfig{}.mac()).bytes);
    const long index = link_index(route.fd().get(), "drydock0");
    REQUIRE(index > 0);
    char words[64];
    CHECK(delete_link(route.fd().get(), "drydock0", index + 1, words, sizeof words) == 0);
    CHECK(link_index(route.fd().get(), "drydock0") == index);  // not the one that was meant
    CHECK(delete_link(route.fd().get(), "drydock0", index, words, sizeof words) == 0);
    CHECK(link_index(route.fd().get(), "drydock0") == -ENODEV);
    CHECK(delete_link(route.fd().get(), "drydock0", 0, words, sizeof words) == 0);
  });
}
