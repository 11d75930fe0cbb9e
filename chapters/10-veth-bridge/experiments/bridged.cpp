#include "bridged.hpp"

#include <linux/sched.h>

#include <drydock/kernel/sys.hpp>

#include "shared/scratch.hpp"
#include "shared/wire.hpp"

namespace drydock::chapter::veth_bridge {

void without_network(Sketch& sketch) {
  for (const char* part : {"ports", "bridge", "cable"}) sketch.remove(part);
  sketch.replace("network", [](Sketch& s) { network::add_loopback_steps(s.plan()); });
}

void with_the_hosts_network(Sketch& sketch) {
  for (const char* part : {"ports", "bridge", "cable", "network"}) sketch.remove(part);
  sketch.clone_flags &= ~std::uint64_t{CLONE_NEWNET};
  sketch.system.fresh_sysfs = false;  // only who owns a network may mount the /sys that shows it
}

namespace {

// The monitor moves into namespaces of this process.
void join(Sketch& sketch, const std::string& id, pid_t pid, std::uint64_t kinds, const char* why) {
  const plan::Slot process = sketch.plan().slot(id, plan::SlotKind::fd);
  sketch.plan()
      .monitor(id, plan::ops::pidfd_open_checked(pid, static_cast<std::int64_t>(sys::start_time(pid).value_or(0))))
      .into(process)
      .on(id)
      .why("a pid may be reused, a descriptor is not");
  sketch.plan().monitor(id + ".network", plan::ops::setns(process, static_cast<std::int64_t>(kinds))).on(id).why(why);
}

// `--network container:ID`, as the last of all changes.
void share_network(const Machine& container, Sketch& sketch) {
  with_the_hosts_network(sketch);
  sketch.add(Phase::host, "peer",
             [pid = container.pid()](Sketch& s) { join(s, "peer", pid, CLONE_NEWNET, "its network, and nothing else of it"); });
}

// The plan is carried out on `host` instead of a host of its own.
void put_on(const Machine& host, Sketch& sketch) {
  sketch.replace("host", [pid = host.pid()](Sketch& s) {
    join(s, "host", pid, CLONE_NEWNET | (s.request.euid == 0 ? 0 : CLONE_NEWUSER), "several containers are on this host");
  });
}

Sketch sketch_for(const std::string& id, const Machine* host, const Variation& wanted) {
  Request request = request_of_this_user();
  request.id = id;
  request.address = ipv4(wanted.address);
  request.ports = wanted.ports;
  Sketch sketch = sketch_of(10, std::move(request));
  if (wanted.change != nullptr) wanted.change(sketch);
  if (!wanted.scratch.empty()) add_scratch(sketch, wanted.scratch);
  if (host != nullptr) put_on(*host, sketch);
  if (wanted.network_of != nullptr) share_network(*wanted.network_of, sketch);
  return sketch;
}

}  // namespace

Bridged::Bridged(Narrator& tell, const Machine* host, const Variation& wanted)
    : id_(sys::random_hex(64)),
      payload_(tell, sketch_for(id_, host, wanted)),
      host_(payload_.launch().monitor()),
      inside_(payload_.pid()) {}

}  // namespace drydock::chapter::veth_bridge
