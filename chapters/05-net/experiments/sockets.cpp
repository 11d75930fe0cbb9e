// A socket belongs to the network namespace in which it was made.
#include <linux/sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>

#include <string>

#include <drydock/kernel/raw.hpp>
#include <drydock/kernel/sys.hpp>
#include <drydock/namespaces/kinds.hpp>
#include <drydock/network/links.hpp>

#include "experiments.hpp"
#include "shared/child.hpp"
#include "shared/traffic.hpp"
#include "shared/unix_socket.hpp"
#include "shared/wire.hpp"
#include "stage.hpp"

namespace drydock::chapter::net {

using namespaces::Kind;

namespace {

// Asks a listener by a process that joins its namespace; the agent answers with `name`.
std::string heard_in(Child& agent, const std::string& name) {
  agent.talk().say("answer " + name);
  return visit(agent.pid(), {Kind::user, Kind::net}, [] { return hear("127.0.0.1", 80); });
}

template <Reuse reuse>
std::string bind_80() {
  Fd listener;
  return text(listen_on("0.0.0.0", 80, listener, reuse));
}

}  // namespace

void same_port(Narrator& tell) {
  tell.step("two processes, each in a network namespace of its own, and a third that shares the first's: all want port 80");
  Child first(for_this_user(CLONE_NEWNET), agent), second(for_this_user(CLONE_NEWNET), agent);
  ask(first, "up lo");
  ask(second, "up lo");
  tell.show("bind, by the first", ask(first, "listen 80"), is("it succeeds"));
  tell.show("bind, by the second", ask(second, "listen 80"), is("it succeeds"));
  tell.show("bind, by the third", visit(first.pid(), {Kind::user, Kind::net}, bind_80<Reuse::no>), contains("EADDRINUSE"));
  tell.step("connect to 127.0.0.1:80, from each namespace");
  tell.show("who answers in the first?", heard_in(first, "one"), is("one"));
  tell.show("who answers in the second?", heard_in(second, "two"), is("two"));
  tell.step("the first one ends; its namespace is held by a descriptor, and a new one is made");
  const Held held(first.pid(), Kind::net);
  first.talk().close();
  first.wait();
  Child fresh(for_this_user(CLONE_NEWNET), agent);
  tell.show("bind, where the first one was", held.visit(bind_80<Reuse::no>), contains("EADDRINUSE"));
  tell.show("the same with SO_REUSEADDR", held.visit(bind_80<Reuse::yes>), is("it succeeds"));
  tell.show("bind, in the new namespace", ask(fresh, "listen 80"), is("it succeeds"));
  tell.say("a TCP connection is remembered for a minute (TIME_WAIT), by its namespace. Servers set SO_REUSEADDR; both have to");
  tell.result("a port is a number in one namespace. Twice in one is an error, also of containers that share the host's.");
}

void abstract_names(Narrator& tell) {
  tell.step("two listeners on Unix sockets: one has a name that is no file, one lies in a directory");
  Child stage(for_this_user(CLONE_NEWNS | CLONE_NEWNET), [](Talk& chapter) {
    raw::call(SYS_mount, "none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
    raw::call(SYS_mount, "tmpfs", "/mnt", "tmpfs", 0, nullptr);
    Fd abstract, file;
    chapter.say(text(listen_at("@drydock", abstract)));
    chapter.say(text(listen_at("/mnt/socket", file)));
    const auto try_from = [&](std::uint64_t flags, bool without_file) {
      Child other(flags, [=](Talk& talk) {
        if (without_file) raw::call(SYS_umount2, "/mnt", MNT_DETACH);
        talk.say(text(connect_to("@drydock")));
        talk.say(text(connect_to("/mnt/socket")));
        return 0;
      });
      chapter.say(other.talk().line());
      chapter.say(other.talk().line());
    };
    try_from(CLONE_NEWNET, false);
    try_from(CLONE_NEWNS | CLONE_NEWIPC, true);
    return 0;
  });
  const auto line = [&] { return stage.talk().line(); };
  tell.show("listen at @drydock", line(), is("it succeeds"));
  tell.show("listen at /mnt/socket", line(), is("it succeeds"));
  tell.step("a client in another network namespace, with the same mounts");
  tell.show("connect to @drydock", line(), contains("ECONNREFUSED"));
  tell.show("connect to /mnt/socket", line(), is("it succeeds"));
  tell.step("a client in the same network namespace, with other mounts and another IPC namespace");
  tell.show("connect to @drydock", line(), is("it succeeds"));
  tell.show("connect to /mnt/socket", line(), contains("ENOENT"));
  tell.result(
      "a name that is a file follows the mounts, an abstract one the network. --network host opens the host's to a container.");
}

void old_socket(Narrator& tell) {
  tell.step("a child opens an rtnetlink socket, then calls unshare(CLONE_NEWNET), and asks by the old socket and by a new one");
  Child child(for_this_user(CLONE_NEWNET), [](Talk& chapter) {
    const network::Netlink old(NETLINK_ROUTE);
    make_pair();
    const std::string before = names_of_links();
    chapter.say(before);
    chapter.say(text(Outcome{raw::call(SYS_unshare, CLONE_NEWNET)}));
    chapter.say(names_of_links());
    std::size_t seen = 0;
    for (const network::Link& link : network::links(old)) seen += link.name.starts_with("veth-") ? 1 : 0;
    chapter.say(std::to_string(seen));
    return 0;
  });
  tell.show("links at first", child.talk().line(), is("lo veth-a veth-b"));
  tell.show("unshare", child.talk().line(), is("it succeeds"));
  tell.show("links, by a new socket", child.talk().line(), is("lo"));
  tell.show("links veth-*, by the old socket", child.talk().line(), is("2"));
  tell.result("setns and unshare move the process, never its sockets: one process may hold sockets of many namespaces.");
}

}  // namespace drydock::chapter::net
