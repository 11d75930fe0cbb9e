#include <drydock/network/bridge.hpp>

#include <errno.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include <drydock/kernel/error.hpp>
#include <drydock/kernel/sys.hpp>
#include <drydock/network/nat_query.hpp>

namespace drydock::network {

namespace {

using namespace plan;

constexpr const char* ip_forward = "/proc/sys/net/ipv4/ip_forward";

void check_bridge(const Link& link, const BridgeConfig& config) {
  if (link.kind == "bridge" && link.mac == config.mac().text()) return;
  throw Error::refused(
      "link " + config.name,
      "a link of this name exists that Drydock did not make" + (link.kind.empty() ? std::string() : " (" + link.kind + ")"),
      "rename or delete it ('ip link'), or choose another name for the bridge");
}

// A subnet that the host already routes elsewhere would cut the host off from it.
void check_routes(const Netlink& socket, const BridgeConfig& config, int bridge_index) {
  for (const Route& route : routes(socket)) {
    const std::size_t slash = route.destination.find('/');
    if (route.family != AF_INET || slash == std::string::npos || route.link == bridge_index) continue;
    const auto base = Ipv4::parse(route.destination.substr(0, slash));
    const Subnet there{base ? base->value : 0, std::stoi(route.destination.substr(slash + 1))};
    if (base && there.overlaps(config.subnet))
      throw Error::refused("subnet " + config.subnet.text(), "this machine already has a route to " + route.destination,
                           "choose another subnet for the bridge");
  }
}

void add_nat_steps(Plan& plan, const BridgeConfig& config, const HostNetwork& host) {
  if (!host.nat_ready) {
    const Slot socket = plan.slot("nft", SlotKind::fd);
    plan.monitor("net.nat.socket", ops::netlink_open(NETLINK_NETFILTER))
        .into(socket)
        .on("NAT")
        .why("nftables is spoken to over netlink");
    plan.monitor("net.nat", nat_table(config, host.nat_stale).on(socket))
        .on("table ip drydock")
        .tolerate(EEXIST)
        .why("a private address means nothing outside: what leaves the bridge gets the host's address");
  }
  if (!host.forwarding)
    plan.monitor("net.forward", ops::write_file(ip_forward, "1"))
        .on("ip_forward")
        .why("a host that is no router drops every packet that is not for itself");
}

// A single container's bring-up may race with another's: both create, one gets EEXIST, both go on with the same bridge.
void add_new_bridge_steps(Plan& plan, const BridgeConfig& config, Bridge& bridge) {
  const Slot index = plan.slot("bridge_index", SlotKind::number);
  plan.monitor("net.bridge", create_bridge(config.name, config.mac()).on(bridge.socket))
      .on("bridge " + config.name)
      .tolerate(EEXIST)
      .why("a switch inside the kernel that the containers' links plug into");
  plan.monitor("net.bridge.index", ops::link_index(bridge.socket, config.name))
      .into(index)
      .on("bridge " + config.name)
      .why("the kernel names links by number");
  plan.monitor("net.bridge.address", add_address(index, config.name, config.gateway(), config.subnet.prefix).on(bridge.socket))
      .on("address " + config.gateway().text())
      .why("the host's place in the subnet: the containers' gateway");
  bridge.ready = plan.monitor("net.bridge.up", link_up(config.name).on(bridge.socket))
                     .on("bridge " + config.name)
                     .why("a bridge that is up tells the next start that everything before this was done");
  bridge.index = index;
}

}  // namespace

HostNetwork inspect_host(const BridgeConfig& config) {
  HostNetwork host;
  const Netlink socket(NETLINK_ROUTE);
  const auto link = find_link(socket, config.name);
  if (link) {
    check_bridge(*link, config);
    host.bridge_index = link->index;
    host.bridge_ready = link->up && first_address(config.name) == config.gateway();
  }
  if (!host.bridge_ready) check_routes(socket, config, host.bridge_index);
  const NatState nat = nat_state(config);
  host.nat_ready = nat == NatState::ready;
  host.nat_stale = nat == NatState::stale;
  const auto forwarding = sys::read_file_if_present(ip_forward);
  host.forwarding = forwarding && forwarding->starts_with('1');
  return host;
}

Bridge add_bridge_steps(Plan& plan, const BridgeConfig& config, const HostNetwork& host, std::optional<Call> release) {
  Bridge bridge;
  bridge.socket = plan.slot("rtnetlink", SlotKind::fd);
  Step& first = plan.monitor("net.socket", ops::netlink_open(NETLINK_ROUTE))
                    .into(bridge.socket)
                    .on("network")
                    .why("links, addresses and routes are made by messages on this socket");
  if (release) first.undo(std::move(*release));
  bridge.ready = first;
  add_nat_steps(plan, config, host);
  if (host.bridge_ready)
    bridge.index = host.bridge_index;
  else
    add_new_bridge_steps(plan, config, bridge);
  return bridge;
}

StepRef add_container_link_step(Plan& plan, const BridgeConfig& config, const Bridge& bridge, const ContainerLink& link) {
  Veth veth;
  veth.host_name = link.host_name;
  veth.bridge_name = config.name;
  veth.bridge = bridge.index;
  veth.peer_pid = link.child;
  veth.peer_mac = mac_of(link.address);
  veth.mtu = config.mtu;
  return plan.monitor("net.veth", create_veth(veth).on(bridge.socket))
      .on("link " + link.host_name)
      .why("a cable with one end on the bridge and one in the container, both born where they stay")
      .undo(ops::delete_link(link.host_name));
}

void add_container_address_steps(Plan& plan, const BridgeConfig& config, const ContainerLink& link, StepRef pair) {
  const Slot socket = plan.slot("inner_rtnetlink", SlotKind::fd), eth0 = plan.slot("eth0_index", SlotKind::number);
  const std::string inner = "container's network";
  plan.payload("net.inner.socket", ops::netlink_open(NETLINK_ROUTE))
      .into(socket)
      .on(inner)
      .why("a socket belongs to the namespace it was opened in");
  plan.payload("net.inner.lo", link_up("lo").on(socket)).on("link lo").why("a new namespace has a loopback link, and it is down");
  plan.payload("net.inner.index", ops::link_index(socket, "eth0"))
      .into(eth0)
      .on("link eth0")
      .after(pair)
      .why("the monitor has put the cable's end in here");
  plan.payload("net.inner.address", add_address(eth0, "eth0", link.address, config.subnet.prefix).on(socket))
      .on("address " + link.address.text())
      .why("the address that the pool leased");
  plan.payload("net.inner.up", link_up("eth0").on(socket)).on("link eth0").why("from here on the subnet is reachable");
  plan.payload("net.inner.route", add_default_route(config.gateway()).on(socket))
      .on("default route")
      .why("everything else goes by the bridge");
}

void add_loopback_steps(Plan& plan, StepRef after) {
  const Slot socket = plan.slot("inner_rtnetlink", SlotKind::fd);
  plan.payload("net.inner.socket", ops::netlink_open(NETLINK_ROUTE))
      .into(socket)
      .on("container's network")
      .why("a socket belongs to the namespace it was opened in");
  Step& up = plan.payload("net.inner.lo", link_up("lo").on(socket)).on("link lo").why("a new namespace has a loopback link, and it is down");
  if (after.index != StepRef{}.index) up.after(after);
}

}  // namespace drydock::network
