// The steps that a container's network adds to a plan: lanes, order, printed form. Nothing is executed.
#include <drydock/network/bridge.hpp>
#include <drydock/network/ports.hpp>

#include <algorithm>
#include <iostream>
#include <string>
#include <vector>

#include <drydock/kernel/error.hpp>

#include "support/catch.hpp"

using namespace drydock;
using namespace drydock::network;
using plan::Lane;
using plan::Plan;
using plan::Slot;
using plan::SlotKind;

namespace {

struct Example {
  Plan plan;
  BridgeConfig config;
  Slot child = plan.slot("child", SlotKind::pid);

  Listeners listen(const std::vector<PublishedPort>& ports) { return add_port_listeners(plan, ports); }
  plan::StepRef connect(const HostNetwork& host) {
    Slot pidfd = plan.slot("child_fd", SlotKind::fd);
    (void)pidfd;
    const Bridge bridge = add_bridge_steps(plan, config, host);
    plan.monitor("clone", plan::ops::clone3(0, {}, Lane::payload)).into(child);
    const ContainerLink link{"drydock7f3a0001", *Ipv4::parse("172.29.0.2"), child};
    const plan::StepRef pair = add_container_link_step(plan, config, bridge, link);
    add_container_address_steps(plan, config, link, pair);
    return pair;
  }
  std::vector<std::string> ids(Lane lane) const {
    std::vector<std::string> result;
    for (const plan::Step& step : plan.steps())
      if (step.lane == lane) result.push_back(step.id);
    return result;
  }
};

HostNetwork ready_host() {
  HostNetwork host;
  host.bridge_ready = host.nat_ready = host.forwarding = true;
  host.bridge_index = 12;
  return host;
}

std::string refusal(const std::vector<PublishedPort>& ports) {
  Plan plan;
  try {
    add_port_listeners(plan, ports);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("on a fresh host the bridge is made, and up last", "[network]") {
  Example example;
  example.connect({});
  CHECK(example.ids(Lane::monitor) == std::vector<std::string>{"net.socket", "net.nat.socket", "net.nat", "net.forward",
                                                               "net.bridge", "net.bridge.index", "net.bridge.address",
                                                               "net.bridge.up", "clone", "net.veth"});
}

TEST_CASE("on a host whose bridge is up a container costs one message, and the index is a constant", "[network]") {
  Example example;
  example.connect(ready_host());
  CHECK(example.ids(Lane::monitor) == std::vector<std::string>{"net.socket", "clone", "net.veth"});
  const plan::Call& veth = example.plan.find("net.veth").action;
  CHECK(veth.op == plan::Op::netlink);
}

TEST_CASE("the payload's own steps wait for the link", "[network]") {
  Example example;
  const plan::StepRef veth = example.connect(ready_host());
  CHECK(example.ids(Lane::payload) == std::vector<std::string>{"net.inner.socket", "net.inner.lo", "net.inner.index",
                                                               "net.inner.address", "net.inner.up", "net.inner.route"});
  const plan::Step& index = example.plan.find("net.inner.index");
  CHECK(std::any_of(index.edges.begin(), index.edges.end(), [&](plan::StepRef edge) { return edge.index == veth.index; }));
}

TEST_CASE("a plan with a network prints what its messages say", "[network]") {
  Example example;
  example.connect({});
  const std::string text = plan::print(example.plan);
  for (const char* line :
       {"RTM_NEWLINK drydock0 type bridge address 02:dd:ac:1d:00:01",
        "RTM_NEWLINK drydock7f3a0001 type veth master drydock0 up, peer eth0 address 02:dd:ac:1d:00:02 in netns of <child>",
        "RTM_NEWADDR 172.29.0.2/16 dev eth0", "RTM_NEWROUTE default via 172.29.0.1",
        "NFT_MSG_NEWTABLE ip drydock: masquerade 172.29.0.0/16 leaving other than by drydock0"}) {
    INFO(text);
    CHECK(text.find(line) != std::string::npos);
  }
}

TEST_CASE("every step of the network says why and on what", "[network]") {
  Example example;
  const std::vector<PublishedPort> ports = {{"", 8080, 80, false}};
  const Listeners listeners = example.listen(ports);
  add_port_steps(example.plan, example.config, listeners, ports, "7f3a", *Ipv4::parse("172.29.0.2"), example.connect({}));
  for (const plan::Step& step : example.plan.steps()) {
    if (!step.id.starts_with("net.")) continue;
    INFO(step.id);
    CHECK_FALSE(step.reason.empty());
    CHECK_FALSE(step.target.empty());
  }
}

TEST_CASE("ports are reserved first, on both families, and served by a lane of its own", "[network]") {
  Example example;
  const std::vector<PublishedPort> ports = {{"", 8080, 80, false}, {"127.0.0.1", 8081, 81, false}};
  const Listeners listeners = example.listen(ports);
  REQUIRE(listeners.size() == 3);
  CHECK(listeners[2].port == 81);
  add_port_steps(example.plan, example.config, listeners, ports, "7f3a", *Ipv4::parse("172.29.0.2"),
                 example.connect(ready_host()));
  const auto monitor = example.ids(Lane::monitor);
  CHECK(std::vector<std::string>(monitor.begin(), monitor.begin() + 3) ==
        std::vector<std::string>{"net.listen.0.0.0.0:8080", "net.listen.[::]:8080", "net.listen.127.0.0.1:8081"});
  CHECK(example.plan.find("net.listen.[::]:8080").tolerated.size() == 2);
  CHECK(example.plan.find("net.listen.0.0.0.0:8080").tolerated.empty());
  // The port is free before the caller hears of the end: the next container may want it at once.
  REQUIRE(example.plan.find("net.listen.0.0.0.0:8080").undo_call);
  CHECK(example.plan.find("net.listen.0.0.0.0:8080").undo_call->op == plan::Op::close);
  CHECK(example.ids(Lane::proxy) == std::vector<std::string>{"net.proxy.tie", "net.proxy.drop", "net.proxy"});
  CHECK(plan::print(example.plan).find("NFT_MSG_NEWTABLE ip drydock-7f3a: 8080 -> 172.29.0.2:80/tcp") != std::string::npos);
}

TEST_CASE("a port on loopback alone needs no table", "[network]") {
  Example example;
  const std::vector<PublishedPort> ports = {{"127.0.0.1", 8081, 81, false}};
  const Listeners listeners = example.listen(ports);
  add_port_steps(example.plan, example.config, listeners, ports, "7f3a", *Ipv4::parse("172.29.0.2"),
                 example.connect(ready_host()));
  CHECK_THROWS_AS(example.plan.find("net.ports"), Error);
}

TEST_CASE("UDP ports are reserved and carried on loopback and IPv6 like TCP ports", "[network]") {
  Example example;
  const Listeners listeners = example.listen({{"", 53, 5353, true}, {"", 53, 80, false}});
  CHECK(example.plan.warnings.empty());
  REQUIRE(listeners.size() == 4);
  CHECK(listeners[0].id == "net.listen.0.0.0.0:53/udp");
  CHECK(listeners[1].id == "net.listen.[::]:53/udp");
  CHECK(listeners[1].port == 5353);
  const plan::Step& step = example.plan.find(listeners[0].id);
  CHECK(print(step.action, example.plan.slots()) == "bind(AF_INET, SOCK_DGRAM, \"0.0.0.0\", 53)");
}

TEST_CASE("bad ports are refused in words", "[network]") {
  CHECK(refusal({{"", 0, 80, false}}).find("a port is a number from 1 to 65535") != std::string::npos);
  CHECK(refusal({{"localhost", 80, 80, false}}).find("'localhost' is no IPv4 or IPv6 address") != std::string::npos);
  CHECK(refusal({{"", 80, 80, false}, {"", 80, 81, false}}).find("published twice") != std::string::npos);
  CHECK(refusal({{"", 80, 80, false}, {"127.0.0.1", 80, 81, false}}).find("published twice") != std::string::npos);
  CHECK(refusal({{"", 80, 80, false}, {"", 80, 80, true}}).empty());
  CHECK(refusal({{"::1", 80, 80, false}, {"127.0.0.1", 80, 81, false}}).empty());
  std::vector<PublishedPort> many;
  for (std::uint16_t port = 1000; port < 1033; ++port) many.push_back({"", port, 80, false});
  CHECK(refusal(many).find("publishes at most 32") != std::string::npos);
}

TEST_CASE("network none brings up lo and nothing else", "[network]") {
  Plan plan;
  add_loopback_steps(plan);
  CHECK(plan.steps().size() == 2);
}

TEST_CASE("equal inputs give equal plans", "[network]") {
  Example one, two;
  one.connect({});
  two.connect({});
  CHECK(plan::to_json(one.plan) == plan::to_json(two.plan));
}
