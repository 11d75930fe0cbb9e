// What a new network namespace has, and what it has not.
#include <linux/sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>

#include <string>

#include <drydock/kernel/error.hpp>
#include <drydock/kernel/raw.hpp>
#include <drydock/kernel/sys.hpp>
#include <drydock/namespaces/kinds.hpp>
#include <drydock/network/links.hpp>
#include <drydock/network/nat.hpp>
#include <drydock/network/nat_query.hpp>

#include "experiments.hpp"
#include "shared/child.hpp"
#include "shared/look.hpp"
#include "shared/payload.hpp"
#include "shared/traffic.hpp"
#include "shared/wire.hpp"

namespace drydock::chapter::net {

using namespaces::id_of;
using namespaces::Kind;

namespace {

std::string names_in(const std::string& directory) {
  std::string all;
  for (const std::string& name : sys::list_directory(directory)) all += (all.empty() ? "" : " ") + name;
  return all;
}

// Interfaces in /proc/net/dev: two lines of headings, then one a line.
std::size_t links_in_proc() {
  const std::string table = sys::read_file("/proc/self/net/dev");
  std::size_t lines = 0;
  for (const char c : table) lines += c == '\n' ? 1 : 0;
  return lines - 2;
}

}  // namespace

void empty(Narrator& tell) {
  tell.step("clone3(CLONE_NEWNET), and nothing else: the child asks rtnetlink");
  Child child(for_this_user(CLONE_NEWNET), [](Talk& chapter) {
    chapter.say(names_of_links());
    chapter.say(state_of("lo"));
    chapter.say(addresses());
    chapter.say(routes());
    chapter.say(std::to_string(links_in_proc()));
    chapter.say(text(send_datagram("127.0.0.1")));
    chapter.say(text(send_datagram("192.0.2.1")));
    chapter.line();
    return 0;
  });
  const auto line = [&] { return child.talk().line(); };
  tell.show("links", line(), is("lo"));
  tell.show("state of lo", line(), is("down"));
  tell.show("IPv4 addresses", line(), is("none"));
  tell.show("routes", line(), is("none"));
  tell.show("links in its /proc/net/dev", line(), is("1"));
  tell.show("a datagram to 127.0.0.1", line(), contains("ENETUNREACH"));
  tell.show("a datagram to 192.0.2.1", line(), contains("ENETUNREACH"));
  tell.show("net namespace", Sides{id_of(0, Kind::net), id_of(child.pid(), Kind::net)}, differ());
  tell.result("not a copy, as of the mounts: empty. Even a program that talks to itself finds nobody.");
}

void loopback(Narrator& tell) {
  tell.step("a new namespace; then RTM_NEWLINK lo up, the one message that `ip link set lo up` sends");
  Child child(for_this_user(CLONE_NEWNET), [](Talk& chapter) {
    chapter.say(text(ping("127.0.0.1")));
    chapter.say(text(sent(network::link_up("lo"))));
    chapter.say(state_of("lo"));
    chapter.say(addresses());
    chapter.say(text(ping("127.0.0.1")));
    chapter.say(text(ping("127.9.9.9")));
    chapter.say(text(ping("192.0.2.1")));
    return 0;
  });
  const auto line = [&] { return child.talk().line(); };
  tell.show("ping 127.0.0.1, before", line(), contains("ENETUNREACH"));
  tell.show("lo up", line(), is("it succeeds"));
  tell.show("state of lo", line(), is("up"));
  tell.show("addresses, which nobody gave it", line(), is("127.0.0.1/8"));
  tell.show("ping 127.0.0.1", line(), is("it succeeds"));
  tell.show("ping 127.9.9.9", line(), is("it succeeds"));
  tell.show("ping 192.0.2.1", line(), contains("ENETUNREACH"));
  tell.result(
      "the kernel gives lo its address when it goes up. Every runtime does this; this chapter's plan has it as net.inner.lo.");
}

void sysfs(Narrator& tell) {
  tell.step("a new network namespace; the mounts are those of the host");
  const std::string before = names_in("/sys/class/net");
  Child child(for_this_user(CLONE_NEWNET), [=](Talk& chapter) {
    chapter.say(names_of_links());
    chapter.say(names_in("/sys/class/net") == before ? "yes" : "no");
    return 0;
  });
  tell.show("its links, says rtnetlink", child.talk().line(), is("lo"));
  tell.show("does /sys show the host's links?", child.talk().line(), is("yes"));
  tell.step("the container of this chapter has a sysfs that was mounted in its namespace");
  Payload payload(tell, sketch_of(5, request_of_this_user()));
  const auto inside = [&] { return names_in("/sys/class/net"); };
  tell.show("its /sys/class/net", visit(payload.pid(), {Kind::user, Kind::mnt, Kind::net}, inside), is("lo"));
  tell.result("/proc/net asks who is looking, /sys remembers who mounted it. `ip netns exec` mounts a new /sys for that reason.");
}

void own_tables(Narrator& tell) {
  tell.step("two namespaces; the first gets a NAT table, and forwards packets from now on");
  Child first(for_this_user(CLONE_NEWNET), [](Talk& chapter) {
    const network::BridgeConfig config;
    Child second(CLONE_NEWNET, [&](Talk& talk) {
      sys::write_file("/proc/sys/net/ipv4/ip_forward", "0");  // a new namespace begins with the host's setting, whatever it is
      talk.line();
      talk.say(network::nat_state(config) == network::NatState::ready ? "there" : "not there");
      talk.say(sys::read_file("/proc/sys/net/ipv4/ip_forward").substr(0, 1));
      return 0;
    });
    network::Netlink(NETLINK_NETFILTER).send(network::nat_table(config, false).bytes);
    sys::write_file("/proc/sys/net/ipv4/ip_forward", "1");
    second.talk().say("look");
    chapter.say(network::nat_state(config) == network::NatState::ready ? "there" : "not there");
    chapter.say(second.talk().line());
    chapter.say(sys::read_file("/proc/sys/net/ipv4/ip_forward").substr(0, 1));
    chapter.say(second.talk().line());
    return 0;
  });
  tell.show("the table, in the first", first.talk().line(), is("there"));
  tell.show("the table, in the second", first.talk().line(), is("not there"));
  tell.show("ip_forward, in the first", first.talk().line(), is("1"));
  tell.show("ip_forward, in the second", first.talk().line(), is("0"));
  tell.result("rules, routes and most settings below /proc/sys/net are the namespace's own: a whole stack, not a filter on one.");
}

}  // namespace drydock::chapter::net
