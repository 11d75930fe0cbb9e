// What chapter 10 adds to the plan: a host of its own, and in it a bridge, address translation, a published port, and a cable
// from the bridge to the container. Chapter 05's network had its loopback link only.
//
// The host is played: the monitor moves into a new network namespace first, so nothing is done to the network of your machine.
// A real start has no step host.network, and finds bridge and translation there unless it is the first.
#include <linux/sched.h>

#include <drydock/network/bridge.hpp>
#include <drydock/network/ports.hpp>

#include "shared/sketch.hpp"

namespace drydock::chapter {

using namespace plan;

namespace {

// An ordinary user owns a network only in a user namespace of their own. They keep their number in it: the files of the host stay
// theirs, and so does what chapter 07 says about the container's.
void played_host(Sketch& sketch) {
  const bool root = sketch.request.euid == 0;
  sketch.plan()
      .monitor("host.network", ops::unshare(CLONE_NEWNET | (root ? 0 : CLONE_NEWUSER)))
      .on("a host that is played")
      .why("what follows is done to a network of the chapter's own, not to your machine's");
  if (root) return;
  const auto map = [](unsigned id) { return std::to_string(id) + " " + std::to_string(id) + " 1"; };
  sketch.plan()
      .monitor("host.setgroups", ops::write_file("/proc/self/setgroups", "deny"))
      .why("the kernel wants it before gid_map");
  sketch.plan().monitor("host.uid", ops::write_file("/proc/self/uid_map", map(sketch.request.euid))).why("the same user inside");
  sketch.plan().monitor("host.gid", ops::write_file("/proc/self/gid_map", map(sketch.request.egid))).why("the same group inside");
}

void ports(Sketch& sketch) {
  sketch.listeners = network::add_port_listeners(sketch.plan(), sketch.request.ports);
}

void bridge(Sketch& sketch) {
  sketch.bridge = network::add_bridge_steps(sketch.plan(), sketch.request.bridge, {});
}

network::ContainerLink link_of(const Sketch& sketch) {
  return {network::veth_name(sketch.request.id), sketch.request.address, sketch.child};
}

void cable(Sketch& sketch) {
  const Request& request = sketch.request;
  sketch.cable = network::add_container_link_step(sketch.plan(), request.bridge, sketch.bridge, link_of(sketch));
  if (!request.ports.empty())
    network::add_port_steps(sketch.plan(), request.bridge, sketch.listeners, request.ports, request.id.substr(0, 12),
                            request.address, sketch.cable);
}

void inside(Sketch& sketch) {
  network::add_container_address_steps(sketch.plan(), sketch.request.bridge, link_of(sketch), sketch.cable);
}

}  // namespace

const Growth veth_bridge{{.chapter = 10,
                          .adds = {"host.network",         "net.listen.0.0.0.0:8080",
                                   "net.listen.[::]:8080", "net.socket",
                                   "net.nat.socket",       "net.nat",
                                   "net.forward",          "net.bridge",
                                   "net.bridge.index",     "net.bridge.address",
                                   "net.bridge.up",        "net.veth",
                                   "net.ports.socket",     "net.ports",
                                   "net.proxy.fork",       "net.proxy.tie",
                                   "net.proxy.drop",       "net.proxy",
                                   "net.inner.index",      "net.inner.address",
                                   "net.inner.up",         "net.inner.route"},
                          .grow = [](Sketch& sketch) {
                            sketch.add(Phase::host, "host", played_host);
                            sketch.add(Phase::host, "ports", ports);
                            sketch.add(Phase::host, "bridge", bridge);
                            sketch.add(Phase::outside, "cable", cable);
                            sketch.replace("network", inside);
                          }}};

}  // namespace drydock::chapter
