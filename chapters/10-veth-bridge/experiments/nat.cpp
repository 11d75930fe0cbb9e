// How packets leave a bridge and come in: forwarding, masquerading, published ports.
#include <arpa/inet.h>  // before the kernel's linux/in.h, which it then keeps quiet
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>

#include <string>

#include <drydock/kernel/error.hpp>
#include <drydock/kernel/sys.hpp>
#include <drydock/network/nat.hpp>
#include <drydock/network/nat_batch.hpp>

#include "bridged.hpp"
#include "experiments.hpp"
#include "kinds.hpp"
#include "machine.hpp"
#include "server.hpp"
#include "shared/traffic.hpp"
#include "shared/wire.hpp"

namespace drydock::chapter::veth_bridge {

using network::Batch;
using network::Cmp;
using network::Rule;

namespace {

std::string setting(const Machine& host, const std::string& name) {
  return host.at([&] { return sys::read_file("/proc/sys/net/ipv4/" + name).substr(0, 1); });
}

// A machine on a cable of its own to the host.
void connect(const Machine& host, const std::string& link, const std::string& address, const Machine& outside,
             const std::string& outside_address) {
  cable({.machine = host, .link = link, .address = address}, {.machine = outside, .link = "eth0", .address = outside_address});
}

}  // namespace

void leaving(Narrator& tell) {
  tell.step("a host that has started nothing; a container starts");
  const World world;
  const Machine host(world), outside(world);
  connect(host, "uplink", "198.51.100.1", outside, "198.51.100.7");
  const Child server = serve(outside, "0.0.0.0", 80, "outside");
  tell.show("ip_forward, before", setting(host, "ip_forward"), is("0"));
  const Bridged container(tell, host);
  const auto call = [&](int timeout_ms) { return container.inside().at([=] { return hear("198.51.100.7", 80, timeout_ms); }); };
  tell.show("ip_forward, now", setting(host, "ip_forward"), is("1"));
  tell.show("container to 198.51.100.7:80", call(3000), is("outside hears 198.51.100.1"));
  tell.step("the notes' sysctl net.ipv4.conf.all.forwarding, set to 0 and back to 1: the same switch by another name");
  const auto forwarding = [&](const char* value) {
    host.at([=] {
      sys::write_file("/proc/sys/net/ipv4/conf/all/forwarding", value);
      return true;
    });
    return setting(host, "ip_forward");
  };
  tell.show("ip_forward after a 0", forwarding("0"), is("0"));
  tell.show("container to 198.51.100.7:80", call(short_ms), contains("ETIMEDOUT"));
  tell.show("ip_forward after a 1", forwarding("1"), is("1"));
  tell.show("container to 198.51.100.7:80", call(3000), is("outside hears 198.51.100.1"));
  tell.step("the table with masquerade is deleted");
  tell.show("NFT_MSG_DELTABLE", host.at([] { return sent(network::delete_nat_table(), NETLINK_NETFILTER); }), is("it succeeds"));
  tell.show("container to 198.51.100.7:80", call(short_ms), contains("ETIMEDOUT"));
  tell.step("the machine outside learns where 172.29.0.0/16 is: ip route add 172.29.0.0/16 via 198.51.100.1");
  tell.show("RTM_NEWROUTE", outside.at(add_route("172.29.0.0", 16, "198.51.100.1")), is("it succeeds"));
  tell.show("container to 198.51.100.7:80", call(3000), is("outside hears 172.29.0.2"));
  tell.result(
      "forwarding lets the question out, masquerading brings the answer back. The runtime did both; nobody had to set a thing.");
}

namespace {

// What `iptables -P FORWARD DROP` with Docker's rules comes to: nothing is passed on but what has to do with the bridge.
Outcome pass_on_for_the_bridge_only() {
  Batch batch;
  batch.table("policy", "forward for drydock0 only", 0);
  batch.chain("policy", "forward", "filter", NF_INET_FORWARD, NF_IP_PRI_FILTER);
  Rule others;
  others.in_interface(Cmp::unequal, "drydock0").out_interface(Cmp::unequal, "drydock0").drop();
  batch.rule("policy", "forward", others);
  return sent({{batch.finish(), "NFT_MSG_NEWTABLE ip policy"}, {}}, NETLINK_NETFILTER);
}

Outcome pass_on_everything() {
  Batch batch;
  batch.delete_table("policy");
  return sent({{batch.finish(), "NFT_MSG_DELTABLE ip policy"}, {}}, NETLINK_NETFILTER);
}

}  // namespace

void open_router(Narrator& tell) {
  tell.step("a host with a container, and two networks that have nothing to do with each other: 198.51.100.0/24, 203.0.113.0/24");
  const World world;
  const Machine host(world), left(world), right(world);
  connect(host, "left", "198.51.100.1", left, "198.51.100.7");
  connect(host, "right", "203.0.113.1", right, "203.0.113.7");
  set_default_route(left, "198.51.100.1");
  set_default_route(right, "203.0.113.1");
  const Bridged container(tell, host);
  const auto from_container = [&] { return container.inside().at([] { return ping("203.0.113.7"); }); };
  const auto from_left = [&](const char* address, int timeout_ms) { return left.at([=] { return ping(address, timeout_ms); }); };
  tell.step("a rule, as Docker has it: drop what is passed on, unless it comes from the bridge or goes to it");
  tell.show("the rule", host.at(pass_on_for_the_bridge_only), is("it succeeds"));
  tell.show("container pings 203.0.113.7", from_container(), is("it succeeds"));
  tell.show("198.51.100.7 pings 203.0.113.7", from_left("203.0.113.7", short_ms), contains("ETIMEDOUT"));
  tell.step("iptables -P FORWARD ACCEPT, as the notes want it");
  tell.show("the rule is gone", host.at(pass_on_everything), is("it succeeds"));
  tell.show("container pings 203.0.113.7", from_container(), is("it succeeds"));
  tell.show("198.51.100.7 pings 203.0.113.7", from_left("203.0.113.7", 3000), is("it succeeds"));
  tell.step("and into the bridge? The table of this chapter's plan drops what nobody inside asked for");
  tell.show("198.51.100.7 pings 172.29.0.2", from_left("172.29.0.2", short_ms), contains("ETIMEDOUT"));
  tell.result("the container gained nothing. The host became a router between all its networks, for everybody.");
}

void published(Narrator& tell) {
  tell.step("-p 8080:80 -p 127.0.0.1:8081:80; a server in the container listens on 80");
  const World world;
  const Machine host(world), outside(world);
  connect(host, "uplink", "198.51.100.1", outside, "198.51.100.7");
  const Bridged container(tell, host, {.ports = {{"", 8080, 80}, {"127.0.0.1", 8081, 80}}});
  const Child server = serve(container.inside(), "0.0.0.0", 80, "web");
  const auto from = [](const Machine& machine, const char* address, int port) {
    return machine.at([=] { return hear(address, port); });
  };
  tell.show("outside to 198.51.100.1:8080", from(outside, "198.51.100.1", 8080), is("web hears 198.51.100.7"));
  tell.show("host to 198.51.100.1:8080", from(host, "198.51.100.1", 8080), is("web hears 198.51.100.1"));
  tell.show("host to 127.0.0.1:8080", from(host, "127.0.0.1", 8080), is("web hears 172.29.0.1"));
  tell.show("outside to 198.51.100.1:8081", from(outside, "198.51.100.1", 8081), contains("ECONNREFUSED"));
  tell.show("host to 127.0.0.1:8081", from(host, "127.0.0.1", 8081), is("web hears 172.29.0.1"));
  tell.show("host to 172.29.0.2:80, unpublished", from(host, "172.29.0.2", 80), is("web hears 172.29.0.1"));
  tell.step("a second container publishes 8080 too");
  const auto second = [&]() -> std::string {
    try {
      const Bridged other(tell, host, {.address = "172.29.0.3", .ports = {{"", 8080, 80}}});
      return "it starts";
    } catch (const Error& error) {
      return errno_name(error.code()) + ", at step " + error.step();
    }
  };
  tell.show("its start", second(), is("EADDRINUSE, at step net.listen.0.0.0.0:8080"));
  tell.result(
      "a packet from outside is given another destination, inside the kernel. 127.0.0.1 cannot be: there a process carries "
      "the bytes.");
}

namespace {

// With the module br_netfilter the packets between two ports of a bridge pass the host's IP rules too, which hides what a bridge
// does by itself.
bool leave_bridged_packets_alone() {
  const std::string name = "/proc/sys/net/bridge/bridge-nf-call-iptables";
  if (sys::read_file_if_present(name)) sys::write_file(name, "0");
  return true;
}

// The translation alone, without what makes the answer come back.
Outcome translate_only(const std::string& container) {
  Batch batch;
  batch.table("plain", "destination only", 0);
  batch.chain("plain", "prerouting", "nat", NF_INET_PRE_ROUTING, NF_IP_PRI_NAT_DST);
  Rule rule;
  rule.destination(Cmp::equal, network::Subnet{ipv4("198.51.100.1").value, 32}).destination_port(true, 5300);
  rule.translate_to(ipv4(container), 53);
  batch.rule("plain", "prerouting", rule);
  return sent({{batch.finish(), "NFT_MSG_NEWTABLE ip plain"}, {}}, NETLINK_NETFILTER);
}

}  // namespace

void hairpin(Narrator& tell) {
  tell.step("-p 8080:80 -p 5301:53/udp. A container calls the host's address, at the port that is its own");
  const World world;
  const Machine host(world), outside(world);
  host.at(leave_bridged_packets_alone);
  connect(host, "uplink", "198.51.100.1", outside, "198.51.100.7");
  const Bridged container(tell, host, {.ports = {{"", 8080, 80}, {"", 5301, 53, true}}});
  const Child server = serve(container.inside(), "0.0.0.0", 80, "web"), names = serve_datagrams(container.inside(), 53, "names");
  const auto datagram = [](const Machine& machine, int port) {
    return machine.at([=] { return ask_by_datagram("198.51.100.1", port); });
  };
  tell.show("TCP, to 198.51.100.1:8080", container.inside().at([] { return hear("198.51.100.1", 8080); }),
            is("web hears 172.29.0.1"));
  tell.show("UDP, to 198.51.100.1:5301", datagram(container.inside(), 5301), is("names hears 172.29.0.1, says 198.51.100.1"));
  tell.step("another container, 172.29.0.3; port 5300 has the translation of the destination, and no more");
  const Bridged bare(tell, host, {.address = "172.29.0.3"});
  const Child others = serve_datagrams(bare.inside(), 53, "names");
  tell.show("the rule", host.at([] { return translate_only("172.29.0.3"); }), is("it succeeds"));
  tell.show("outside, to 198.51.100.1:5300", datagram(outside, 5300), is("names hears 198.51.100.7, says 198.51.100.1"));
  tell.show("the container itself, to the same", datagram(bare.inside(), 5300), contains("ETIMEDOUT"));
  tell.result(
      "a packet that comes back by the port it left by, from one's own address, is thrown away. The host must stand in "
      "between: it takes the call itself (TCP), or puts its own address on the packet (UDP).");
}

}  // namespace drydock::chapter::veth_bridge
