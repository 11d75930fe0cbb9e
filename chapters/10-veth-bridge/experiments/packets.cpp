// Who carries a packet from one end of a cable to the other.
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <algorithm>
#include <set>
#include <string>

#include <drydock/kernel/raw.hpp>
#include <drydock/plan/op.hpp>

#include "bridged.hpp"
#include "buffers.hpp"
#include "experiments.hpp"
#include "machine.hpp"
#include "server.hpp"
#include "shared/look.hpp"
#include "shared/traffic.hpp"

namespace drydock::chapter::veth_bridge {

void same_buffer(Narrator& tell) {
  tell.step("two machines on one cable; one sends a datagram. The kernel's trace points say which buffer (skb) passes where");
  const World world;
  const Machine left(world), right(world);
  cable({.machine = left, .link = "left", .address = "10.0.0.1"}, {.machine = right, .link = "right", .address = "10.0.0.2"});
  tell.show("a first ping, for ARP", left.at([] { return ping("10.0.0.2"); }), is("it succeeds"));
  tell.show("a datagram of 29 bytes", left.at([] { return path_of_buffers([] { send_datagram("10.0.0.2"); }, 29); }),
            is("A sent by left, A received by right"));
  tell.result(
      "veth copies nothing: it puts the sender's buffer into the receiver's queue. Copies are made by send() and recv(), as "
      "always.");
}

namespace {

std::string kinds_of_calls(const plan::Plan& plan, const std::vector<std::string>& prefixes) {
  std::set<std::string> kinds;
  for (const plan::Step& step : plan.steps())
    if (std::any_of(prefixes.begin(), prefixes.end(), [&](const std::string& prefix) { return step.id.starts_with(prefix); }))
      kinds.insert(std::string(plan::info(step.action.op).name));
  std::string all;
  for (const std::string& kind : kinds) all += (all.empty() ? "" : ", ") + kind;
  return all;
}

// A process that stands still as long as this lives. Whoever is traced dies with its tracer (EXITKILL): a monitor that had only
// got SIGSTOP would stand there for ever when the chapter is killed.
class Stopped {
 public:
  explicit Stopped(pid_t pid) : pid_(pid) {
    must("PTRACE_SEIZE", text(Outcome{raw::call(SYS_ptrace, PTRACE_SEIZE, pid_, 0, PTRACE_O_EXITKILL)}));
    raw::call(SYS_ptrace, PTRACE_INTERRUPT, pid_, 0, 0);
    raw::call(SYS_wait4, pid_, nullptr, __WALL, nullptr);
  }
  ~Stopped() { raw::call(SYS_ptrace, PTRACE_DETACH, pid_, 0, 0); }
  Stopped(const Stopped&) = delete;

 private:
  pid_t pid_;
};

}  // namespace

void kernel_forwards(Narrator& tell) {
  tell.step("the steps of this chapter's plan that make bridge, cable, addresses, routes and rules: which calls are they?");
  tell.show("calls", kinds_of_calls(plan_of(10), {"net.bridge", "net.nat", "net.veth", "net.inner", "net.ports"}),
            is("ioctl SIOCGIFINDEX, netlink, socket AF_NETLINK"));
  tell.step("a container and a machine outside; then its monitor, which sent those messages, is stopped (PTRACE_INTERRUPT)");
  Bridged container(tell);
  const pid_t monitor = container.payload().launch().monitor();
  const World world(monitor);
  const Machine outside(world);
  cable({.machine = container.host(), .link = "uplink", .address = "198.51.100.1"},
        {.machine = outside, .link = "eth0", .address = "198.51.100.7"});
  const Child server = serve(outside, "0.0.0.0", 80, "outside");
  const Stopped stopped(monitor);
  tell.show("state of the monitor", status_field(monitor, "State"), is("t (tracing stop)"));
  tell.show("container to 198.51.100.7:80", container.inside().at([] { return hear("198.51.100.7", 80); }),
            is("outside hears 198.51.100.1"));
  tell.result(
      "drivers of Docker's model are programs that send messages. Packets are made, passed on and translated by the kernel.");
}

}  // namespace drydock::chapter::veth_bridge
