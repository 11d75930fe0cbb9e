// A name for a container's network in the notes' way, and what is left of it when the container ends.
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/syscall.h>

#include <optional>
#include <string>

#include <drydock/kernel/raw.hpp>
#include <drydock/kernel/sys.hpp>
#include <drydock/namespaces/join.hpp>
#include <drydock/namespaces/kinds.hpp>

#include "experiments.hpp"
#include "machine.hpp"
#include "shared/look.hpp"
#include "shared/wire.hpp"

namespace drydock::chapter::veth_bridge {

using namespaces::Kind;

namespace {

const std::string linked = "/run/netns/linked", bound = "/run/netns/bound";

std::string open_and_count(const std::string& name) {
  const long file = raw::call(SYS_openat, AT_FDCWD, name.c_str(), O_RDONLY | O_CLOEXEC, 0);
  if (raw::failed(file)) return text(Outcome{file});
  return Held(Fd(static_cast<int>(file)), Kind::net).visit(names_of_links);
}

// A process of the host with a /run of its own: names one container by a link and one by a mount, and looks again when told.
int keep_names(Talk& talk) {
  const pid_t by_link = std::stoi(talk.line()), by_mount = std::stoi(talk.line());
  mount_for_itself("tmpfs", "/run");
  sys::mkdir("/run/netns", 0755);
  const std::string before = sys::readlink(namespaces::path_of(by_link, Kind::net));
  sys::symlink(namespaces::path_of(by_link, Kind::net), linked);
  talk.say(sys::readlink(namespaces::path_of(by_link, Kind::net)) == before ? "yes" : "no");
  talk.say(open_and_count(linked));
  sys::open(bound, O_RDONLY | O_CREAT, 0);
  talk.say(text(
      Outcome{raw::call(SYS_mount, namespaces::path_of(by_mount, Kind::net).c_str(), bound.c_str(), "none", MS_BIND, nullptr)}));
  talk.line();
  talk.say(sys::readlink(linked) == namespaces::path_of(by_link, Kind::net) ? "yes" : "no");
  talk.say(open_and_count(linked));
  talk.say(open_and_count(bound));
  talk.say(text(Outcome{raw::call(SYS_unlinkat, AT_FDCWD, linked.c_str(), 0)}));
  talk.say(text(Outcome{raw::call(SYS_umount2, bound.c_str(), 0)}));
  talk.line();
  return 0;
}

std::string settles(const Machine& host, const char* ports) {
  return host.at([=] {
    eventually([=] { return ports_of("docker0") == ports; });
    return ports_of("docker0");
  });
}

}  // namespace

void symlink(Narrator& tell) {
  tell.step("two containers on docker0, with the cables A1 and A2");
  const World world;
  const Machine host(world);
  Child names = host.process(keep_names);  // born before the two, or it would hold their descriptors
  std::optional<Machine> one(world), two(world);
  make_bridge(host, "docker0", "172.17.0.1", 16);
  cable({.machine = host, .link = "A1", .bridge = "docker0"},
        {.machine = *one, .link = "eth0", .address = "172.17.0.2", .prefix = 16});
  cable({.machine = host, .link = "A2", .bridge = "docker0"},
        {.machine = *two, .link = "eth0", .address = "172.17.0.3", .prefix = 16});
  tell.step("3: mkdir -p /var/run/netns; ln -s /proc/PID/ns/net /var/run/netns/linked");
  for (const auto& machine : {&one, &two}) names.talk().say(std::to_string((*machine)->pid()));
  const auto line = [&] { return names.talk().line(); };
  tell.show("is its namespace the one it had?", line(), is("yes"));
  tell.show("links, in what the name leads to", line(), is("eth0 lo"));
  tell.step("for the second one: mount --bind /proc/PID/ns/net /var/run/netns/bound");
  tell.show("mount", line(), is("it succeeds"));
  tell.step("both containers end");
  one.reset();
  two.reset();
  tell.show("ports of docker0, a moment later", settles(host, "A2"), is("A2"));
  names.talk().say("look");
  tell.show("is the symbolic link still there?", line(), is("yes"));
  tell.show("to open it", line(), contains("ENOENT"));
  tell.show("links, in what the mount leads to", line(), is("eth0 lo"));
  tell.step("what the notes forget: rm /var/run/netns/linked; for the other: umount");
  tell.show("unlink", line(), is("it succeeds"));
  tell.show("umount", line(), is("it succeeds"));
  tell.show("ports of docker0, a moment later", settles(host, "none"), is("none"));
  tell.result("the container made its namespace; the link only names it, and holds nothing. A mount holds it, with eth0 and A2.");
}

}  // namespace drydock::chapter::veth_bridge
