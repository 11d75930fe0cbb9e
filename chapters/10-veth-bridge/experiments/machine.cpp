#include "machine.hpp"

#include <fcntl.h>
#include <linux/sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <drydock/kernel/error.hpp>
#include <drydock/kernel/raw.hpp>
#include <drydock/kernel/sys.hpp>
#include <drydock/namespaces/kinds.hpp>

#include "shared/look.hpp"
#include "shared/wire.hpp"

namespace drydock::chapter::veth_bridge {

using namespaces::Kind;

namespace {

void done(const char* call, const char* arguments, long result) {
  if (raw::failed(result)) throw Error::from_errno(call, arguments, raw::error_of(result));
}

std::string to_itself(unsigned id) {
  return std::to_string(id) + " " + std::to_string(id) + " 1";
}

// Says a word when it is where it should be, and stays until the other side closes.
Child holder(const std::function<void()>& go) {
  Child child(0, [&](Talk& talk) {
    go();
    talk.say("there");
    talk.line();
    return 0;
  });
  if (child.talk().line().empty()) throw Error::refused("a played machine", "its process could not make a namespace");
  return child;
}

// A new network namespace begins with the setting of the first one: 1 where Docker runs (devconf_inherit_init_net).
void set_forwarding(const Machine& machine, const char* value) {
  machine.at([=] {
    sys::write_file("/proc/sys/net/ipv4/ip_forward", value);
    return true;
  });
}

}  // namespace

World::World() {
  if (sys::geteuid() == 0) return;
  const unsigned user = sys::geteuid(), group = ::getegid();
  owner_.emplace(holder([=] {
    done("unshare", "CLONE_NEWUSER", raw::call(SYS_unshare, CLONE_NEWUSER));
    sys::write_file("/proc/self/setgroups", "deny");
    sys::write_file("/proc/self/uid_map", to_itself(user));
    sys::write_file("/proc/self/gid_map", to_itself(group));
  }));
  user_ = sys::open(namespaces::path_of(owner_->pid(), Kind::user), O_RDONLY);
}

World::World(pid_t member) {
  if (namespaces::id_of(member, Kind::user) != namespaces::id_of(0, Kind::user))
    user_ = sys::open(namespaces::path_of(member, Kind::user), O_RDONLY);
}

void World::enter() const {
  if (user_) done("setns", "CLONE_NEWUSER", raw::call(SYS_setns, user_.get(), CLONE_NEWUSER));
}

Machine::Machine(const World& world)
    : holder_(holder([&] {
        world.enter();
        done("unshare", "CLONE_NEWNET", raw::call(SYS_unshare, CLONE_NEWNET));
      })),
      pid_(holder_->pid()),
      network_(pid_, Kind::net) {
  set_forwarding(*this, "0");
  must("lo of a played machine", at(network::link_up("lo")));
}

Machine::Machine(pid_t pid) : pid_(pid), network_(pid, Kind::net) {}

std::string Machine::at(const network::Message& message) const {
  return at([&] { return sent(message); });
}

Child Machine::process(const Body& body) const {
  return Child(0, [&](Talk& talk) {
    done("setns", "CLONE_NEWNET", network_.enter());
    return body(talk);
  });
}

void must(const std::string& what, const std::string& outcome) {
  if (outcome != text(Outcome{0})) throw Error::refused(what, outcome);
}

namespace {

// As the kernel would choose one: local, and nobody else's.
network::Mac random_mac() {
  const auto number = static_cast<std::uint32_t>(std::stoul(sys::random_hex(8), nullptr, 16));
  network::Mac mac = network::mac_of(network::Ipv4{number});
  mac.bytes[1] = 0xee;  // not of Drydock's own
  return mac;
}

void finish(const End& end) {
  must("link " + end.link, end.machine.at(network::link_up(end.link)));
  if (!end.bridge.empty()) must("port " + end.link, end.machine.at([&] { return sent(plug(end.link, end.bridge)); }));
  if (!end.address.empty())
    must("address " + end.address, end.machine.at([&] { return give_address(end.link, end.address, end.prefix); }));
}

}  // namespace

void cable(const End& one, const End& other) {
  network::Veth veth;
  veth.host_name = one.link;
  veth.peer_name = other.link;
  veth.peer_pid = other.machine.pid();
  veth.peer_mac = random_mac();
  must("cable " + one.link, one.machine.at(network::create_veth(veth)));
  finish(one);
  finish(other);
  must("carrier of " + one.link,
       one.machine.at([&] { return Outcome{eventually([&] { return state_of(one.link) == "up"; }) ? 0 : -ENOLINK}; }));
}

void make_bridge(const Machine& machine, const std::string& name, const std::string& address, int prefix) {
  const network::Ipv4 mark = ipv4(address.empty() ? "0.0.0.1" : address);
  must("bridge " + name, machine.at(network::create_bridge(name, network::mac_of(mark))));
  finish({.machine = machine, .link = name, .address = address, .prefix = prefix});
}

void set_default_route(const Machine& machine, const std::string& gateway) {
  must("default route", machine.at(network::add_default_route(ipv4(gateway))));
}

void make_router(const Machine& machine) {
  set_forwarding(machine, "1");
}

void mount_for_itself(const std::string& type, const std::string& directory) {
  done("unshare", "CLONE_NEWNS", raw::call(SYS_unshare, CLONE_NEWNS));
  done("mount", "MS_REC|MS_PRIVATE", raw::call(SYS_mount, "none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr));
  done("mount", type.c_str(), raw::call(SYS_mount, "none", directory.c_str(), type.c_str(), 0, nullptr));
}

}  // namespace drydock::chapter::veth_bridge
