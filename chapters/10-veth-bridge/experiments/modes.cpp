// What the values of --network mean: which network namespace a container is in, and what is in there.
#include <linux/reboot.h>
#include <linux/sched.h>
#include <sys/syscall.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include <drydock/kernel/raw.hpp>
#include <drydock/kernel/sys.hpp>
#include <drydock/namespaces/kinds.hpp>
#include <drydock/network/links.hpp>

#include "bridged.hpp"
#include "experiments.hpp"
#include "kinds.hpp"
#include "machine.hpp"
#include "server.hpp"
#include "shared/look.hpp"
#include "shared/traffic.hpp"
#include "shared/unix_socket.hpp"
#include "shared/wire.hpp"

namespace drydock::chapter::veth_bridge {

using namespaces::id_of;
using namespaces::Kind;

namespace {

std::string bridges() {
  std::vector<std::string> names;
  for (const network::Link& link : network::links())
    if (link.kind == "bridge") names.push_back(link.name);
  return joined(std::move(names));
}

}  // namespace

void modes(Narrator& tell) {
  tell.step("a host, and a container for each value of --network that the notes name");
  const World world;
  const Machine host(world);
  const Bridged bridge(tell, host), none(tell, host, {.change = without_network}),
      open(tell, host, {.change = with_the_hosts_network}), guest(tell, host, {.network_of = &bridge.inside()});
  const auto network = [](const Machine& machine) { return id_of(machine.pid(), Kind::net); };
  tell.show("bridge, the default: links", bridge.inside().at(names_of_links), is("eth0 lo"));
  tell.show("its address", bridge.inside().at([] { return addresses_of("eth0"); }), is("172.29.0.2/16"));
  tell.show("none: links", none.inside().at(names_of_links), is("lo"));
  tell.show("lo", none.inside().at([] { return state_of("lo"); }), is("up"));
  tell.show("ping 127.0.0.1", none.inside().at([] { return ping("127.0.0.1"); }), is("it succeeds"));
  tell.show("host: the host's namespace?", network(open.inside()) == network(host), is(true));
  tell.show("container:ID: the first one's?", network(guest.inside()) == network(bridge.inside()), is(true));
  tell.show("is the first one's the host's?", network(bridge.inside()) == network(host), is(false));
  tell.show("is that of none the host's?", network(none.inside()) == network(host), is(false));
  tell.step("docker network create my-net; docker network ls. Its rows of driver bridge are links of kind bridge:");
  tell.show("on the host, before", host.at(bridges), is("drydock0"));
  make_bridge(host, "my-net", "172.30.0.1", 16);
  tell.show("on the host, afterwards", host.at(bridges), is("drydock0 my-net"));
  tell.result(
      "a namespace of its own, with a cable or without one, or somebody else's. bridge, host and none in Docker's list are "
      "not three bridges; the name of a network of one's own is a fifth value.");
}

void shared(Narrator& tell) {
  tell.step("a container with a server on 127.0.0.1:8000, and a second one with --network container:FIRST");
  const World world;
  const Machine host(world);
  const Bridged first(tell, host), second(tell, host, {.network_of = &first.inside()});
  const Child server = serve(first.inside(), "127.0.0.1", 8000, "first");
  const auto both = [&](std::vector<Kind> kinds, const std::function<std::string()>& look) {
    kinds.insert(kinds.begin(), Kind::user);
    return std::pair(visit(first.inside().pid(), kinds, look), visit(second.inside().pid(), kinds, look));
  };
  const auto [addresses_first, addresses_second] = both({Kind::net}, addresses);
  tell.show("addresses of the first", addresses_first, is("127.0.0.1/8 172.29.0.2/16"));
  tell.show("addresses of the second", addresses_second, is("127.0.0.1/8 172.29.0.2/16"));
  tell.show("second to 127.0.0.1:8000",
            visit(second.inside().pid(), {Kind::user, Kind::net}, [] { return hear("127.0.0.1", 8000); }),
            is("first hears 127.0.0.1"));
  tell.show("host to 127.0.0.1:8000", host.at([] { return hear("127.0.0.1", 8000); }), contains("ECONNREFUSED"));
  tell.step("what else do they share?");
  const auto same = [&](Kind kind) { return id_of(first.inside().pid(), kind) == id_of(second.inside().pid(), kind); };
  tell.show("the list of mounts", same(Kind::mnt), is(false));
  tell.show("the process numbers", same(Kind::pid), is(false));
  // One process too many is the visitor.
  const auto [seen_first, seen_second] = both({Kind::mnt, Kind::pid}, [] { return std::to_string(processes().size() - 1); });
  tell.show("processes that the first one sees", seen_first, is("1"));
  tell.show("processes that the second one sees", seen_second, is("1"));
  tell.show("the limits (control group)", first.cgroup() == second.cgroup(), is(false));
  tell.result("one network, two of everything else: they meet on lo, and compete for ports. A pod is made of such containers.");
}

namespace {

std::string bind_low_port() {
  Fd listener;
  return text(listen_on("0.0.0.0", 80, listener, Reuse::yes));
}

// A host with an abstract socket, and with one that is a file as the system's D-Bus has it. It says whether it reaches them.
Child services(const Machine& host) {
  return host.process([](Talk& talk) {
    mount_for_itself("tmpfs", "/mnt");
    Fd abstract, file;
    listen_at("@drydock-bus", abstract);
    listen_at("/mnt/bus", file);
    talk.say(text(connect_to("@drydock-bus")));
    talk.say(text(connect_to("/mnt/bus")));
    talk.line();
    return 0;
  });
}

// Ends the pid namespace in which it is process 1; it is made in one of its own.
int status_of_init_that_reboots(unsigned command) {
  return Child(CLONE_NEWUSER | CLONE_NEWPID,
               [=](Talk&) {
                 if (sys::getpid() == 1) raw::call(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, command, nullptr);
                 return 0;
               })
      .wait()
      .code();
}

void reboots(Narrator& tell, const Bridged& open) {
  tell.step(
      "reboot(2). CAD_OFF, which would change a key of the host; then RESTART and POWER_OFF, by process 1 of a pid namespace");
  const auto keys_off = [] {
    return text(Outcome{raw::call(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_CAD_OFF, nullptr)});
  };
  tell.show("CAD_OFF, by root of the open one", visit(open.inside().pid(), {Kind::user, Kind::net}, keys_off), contains("EPERM"));
  tell.show("RESTART: its own init ends with", status_of_init_that_reboots(LINUX_REBOOT_CMD_RESTART), is(129));
  tell.show("POWER_OFF: it ends with", status_of_init_that_reboots(LINUX_REBOOT_CMD_POWER_OFF), is(130));
}

}  // namespace

void host_mode(Narrator& tell) {
  tell.step("two containers on one host: --network host, and the default. Which namespaces do they share with it?");
  const World world;
  const Machine host(world);
  const Bridged open(tell, host, {.change = with_the_hosts_network}), closed(tell, host);
  const auto shared_kinds = [&](const Bridged& container) {
    std::vector<std::string> same;
    for (const Kind kind : {Kind::net, Kind::mnt, Kind::pid, Kind::ipc, Kind::uts, Kind::user})
      if (id_of(host.pid(), kind) == id_of(container.inside().pid(), kind)) same.emplace_back(namespaces::info(kind).name);
    return joined(std::move(same));
  };
  const auto in = [](const Bridged& container, Kind kind, const std::function<std::string()>& look) {
    return visit(container.inside().pid(), {Kind::user, kind}, look);
  };
  tell.show("--network host", shared_kinds(open), is("net"));
  tell.show("the default", shared_kinds(closed), is("none"));
  tell.step("port 80. The right to ports below 1024 is a capability over the network, whatever the mode");
  tell.show("bind, by a process of the host", host.at(bind_low_port), is("it succeeds"));
  tell.show("bind, by root of the open one", in(open, Kind::net, bind_low_port), contains("EACCES"));
  tell.show("bind, by root of the closed one", in(closed, Kind::net, bind_low_port), is("it succeeds"));
  tell.step("two services of the host: one at an abstract name, and one at a file, as the system's D-Bus");
  Child services_of_host = services(host);
  tell.show("the host to the abstract one", services_of_host.talk().line(), is("it succeeds"));
  tell.show("the host to the file", services_of_host.talk().line(), is("it succeeds"));
  const auto abstract = [] { return text(connect_to("@drydock-bus")); };
  tell.show("open one to the abstract one", in(open, Kind::net, abstract), is("it succeeds"));
  tell.show("closed one to the abstract one", in(closed, Kind::net, abstract), contains("ECONNREFUSED"));
  tell.show("open one to the file", in(open, Kind::mnt, [] { return text(connect_to("/mnt/bus")); }), contains("ENOENT"));
  reboots(tell, open);
  tell.result(
      "--network host shares the network, and with it what has an abstract name. Low ports and reboot are rights, and the "
      "system's D-Bus is a file: other walls, which stand.");
}

void endpoints(Narrator& tell) {
  tell.step("four containers on a host, and the kind of the link that is their way out");
  const World world;
  const Machine host(world), direct(world);
  const Bridged bridge(tell, host), none(tell, host, {.change = without_network}),
      open(tell, host, {.change = with_the_hosts_network});
  must("uplink", host.at(create_pair("uplink", "wire")));
  must("uplink", host.at(network::link_up("uplink")));
  must("macvlan", host.at([&] { return sent(create_macvlan("eth0", "uplink", direct.pid())); }));
  const auto kinds = [] {
    std::vector<std::string> all;
    for (const network::Link& link : network::links())
      if (link.name != "lo") all.push_back(link.kind);
    return joined(std::move(all));
  };
  tell.show("--network bridge", bridge.inside().at(kinds), is("veth"));
  tell.show("--network none", none.inside().at(kinds), is("none"));
  tell.show("--network host: one of its own?", id_of(open.inside().pid(), Kind::net) != id_of(host.pid(), Kind::net), is(false));
  tell.show("a network of driver macvlan", direct.at(kinds), is("macvlan"));
  tell.step("what docker network inspect calls an endpoint of the first one: an address, a MAC, and where it is plugged in");
  tell.show("address", bridge.inside().at([] { return addresses_of("eth0"); }), is("172.29.0.2/16"));
  tell.show("MAC, made of the address", bridge.inside().at([] { return link_named("eth0").mac; }), is("02:dd:ac:1d:00:02"));
  tell.show("its other end, a port of drydock0?",
            host.at([&] { return ports_of("drydock0") == network::veth_name(bridge.id()); }), is("yes"));
  tell.result(
      "veth is a type of device, not a protocol, and not the only one: an endpoint is whatever link a network gives a "
      "container.");
}

void inspected(Narrator& tell) {
  tell.step("two containers on the default bridge, one on my-net. What docker network inspect bridge shows, asked of the kernel");
  const World world;
  const Machine host(world), other(world);
  const Bridged first(tell, host), second(tell, host, {.address = "172.29.0.3"});
  make_bridge(host, "my-net", "172.30.0.1", 16);
  cable({.machine = host, .link = "veth0", .bridge = "my-net"},
        {.machine = other, .link = "eth0", .address = "172.30.0.2", .prefix = 16});
  tell.show("subnet and gateway of drydock0", host.at([] { return addresses_of("drydock0"); }), is("172.29.0.1/16"));
  const auto is_port = [&](const Bridged& container) {
    return host.at([&] {
      return (" " + ports_of("drydock0") + " ").find(" " + network::veth_name(container.id()) + " ") != std::string::npos;
    });
  };
  tell.show("is the first one on it?", is_port(first), is("yes"));
  tell.show("is the second one on it?", is_port(second), is("yes"));
  tell.show("how many are?", host.at([] {
    const std::string all = ports_of("drydock0");
    return std::count(all.begin(), all.end(), ' ') + 1;
  }),
            is("2"));
  tell.show("ports of my-net", host.at([] { return ports_of("my-net"); }), is("veth0"));
  tell.result(
      "the network object is Docker's, its content is the kernel's: an address of a bridge, and the links that are its ports.");
}

}  // namespace drydock::chapter::veth_bridge
