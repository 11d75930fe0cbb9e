// What a program can see and reach: each namespace is taken away, and the root. "Whole" is the plan as it is.
#include <linux/sched.h>
#include <signal.h>
#include <sys/msg.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <string>

#include <drydock/kernel/sys.hpp>
#include <drydock/namespaces/kinds.hpp>

#include "experiments.hpp"
#include "experiments/protections.hpp"
#include "shared/child.hpp"
#include "shared/look.hpp"

namespace drydock::chapter::full_run {

using namespaces::id_of;
using namespaces::Kind;

namespace {

std::string upper_of(const Sketch& sketch) {
  return sketch.request.data + "/upper/" + sketch.request.id;
}

std::string root_of_the_host() {
  const struct stat root = *sys::lstat("/");
  return text(root.st_dev) + ":" + text(root.st_ino);
}

std::string links_of(pid_t pid) {
  std::string out;
  for (const facts::Link& link : facts::take(pid).links) out += (out.empty() ? "" : " ") + link.name;
  return out;
}

}  // namespace

void without_user(Narrator& tell) {
  const char* const make = "touch /setuid && chmod 4755 /setuid && echo made";
  const char* const hosts = "cat /proc/sys/vm/swappiness > /tmp/now; cat /tmp/now > /proc/sys/vm/swappiness && echo done";
  tell.step("the whole plan: who is root inside, as the host sees it?");
  {
    Sketch sketch = container();
    const std::string upper = upper_of(sketch);
    Payload whole(tell, std::move(sketch));
    tell.show("uid of its shell, outside", whole.facts().status.uids[0], is(100000));
    tell.show("a set-user-id file", ask(whole, make), is("made"));
    tell.show("owner of that file, on the disk", sys::lstat(upper + "/setuid")->st_uid, is(100000));
  }
  tell.step("without the user namespace, as Docker does it");
  {
    Sketch sketch = container({.namespaces = CLONE_NEWUSER});
    const std::string upper = upper_of(sketch);
    Payload rooted(tell, std::move(sketch));
    tell.show("uid of its shell, outside", rooted.facts().status.uids[0], is(0));
    tell.show("a set-user-id file", ask(rooted, make), is("made"));
    tell.show("owner of that file, on the disk", sys::lstat(upper + "/setuid")->st_uid, is(0));
    tell.show("write vm.swappiness (what it has)", ask(rooted, hosts), contains("Read-only file system"));
  }
  tell.step("and without masks and read-only paths too");
  Payload bare(tell, container({.parts = {"masks"}, .namespaces = CLONE_NEWUSER}));
  tell.show("write vm.swappiness (what it has)", ask(bare, hosts), is("done"));
  tell.result("then root inside is root: its files are root's, and one flag of a mount is between it and the whole machine.");
}

void without_pid(Narrator& tell) {
  tell.step("a process of the host waits; both containers are without a user namespace, and one has a pid namespace");
  Child victim(0, [](Talk& chapter) {
    chapter.line();
    return 0;
  });
  const std::string kill = "kill -9 " + std::to_string(victim.pid()) + " && echo done";
  {
    Payload own(tell, container({.namespaces = CLONE_NEWUSER}));
    tell.show("its shell's number, inside", ask(own, "echo $$"), is("1"));
    tell.show("processes that it sees", ask_shell(own, "set -- /proc/[0-9]*; echo $#"), is("1"));
    tell.show("kill -9 of the host's process", ask(own, kill), contains("No such process"));
    tell.show("is that one alive?", !victim.ends_within(0), is(true));
  }
  tell.step("without the pid namespace");
  Payload none(tell, container({.namespaces = CLONE_NEWUSER | CLONE_NEWPID}));
  tell.show("is its shell's number that of the host?", ask(none, "echo $$") == std::to_string(none.pid()), is(true));
  tell.show("does it see the host's process?",
            ask(none, "test -d /proc/" + std::to_string(victim.pid()) + " && echo yes || echo no"), is("yes"));
  tell.show("kill -9 of the host's process", ask(none, kill), is("done"));
  tell.show("it ended with", victim.wait().code(), is(137));
  tell.result("what has no number cannot be killed, traced or even named. A pid namespace is a protection because it is a view.");
}

void without_net(Narrator& tell) {
  tell.step("the whole plan");
  {
    Payload whole(tell, container());
    tell.show("net namespace", Sides{id_of(whole.launch().monitor(), Kind::net), id_of(whole.pid(), Kind::net)}, differ());
  }
  tell.step("without the network namespace: the links of whoever started it");
  Payload none(tell, container({.namespaces = CLONE_NEWNET}));
  const pid_t starter = none.launch().monitor();
  tell.show("net namespace", Sides{id_of(starter, Kind::net), id_of(none.pid(), Kind::net)}, same());
  tell.show("the same links?", links_of(starter) == links_of(none.pid()), is(true));
  tell.show("its own number of links", ask(none, "echo $(( $(wc -l < /proc/net/dev) - 2 ))"),
            is(std::to_string(facts::take(starter).links.size())));
  tell.result("every port, every socket in the abstract space, every packet on a link: shared. --network host is exactly this.");
}

// Both need a host whose objects and names may be changed: a process that plays it.
void without_ipc(Narrator& tell) {
  const auto queues_seen_by = [&](const Without& without) {
    Child host(CLONE_NEWIPC, [&](Talk& chapter) {
      if (raw::failed(raw::call(SYS_msgget, IPC_PRIVATE, 0600))) return 1;
      Payload payload(tell, container(without));
      chapter.say(ask(payload, "echo $(( $(wc -l < /proc/sysvipc/msg) - 1 ))"));
      return 0;
    });
    return host.talk().line();
  };
  tell.step("a played host makes a message queue; a container looks into /proc/sysvipc/msg");
  tell.show("queues seen, with the whole plan", queues_seen_by({}), is("0"));
  tell.show("without the ipc namespace", queues_seen_by({.namespaces = CLONE_NEWIPC}), is("1"));
  tell.result("what processes share by number they share with everybody in their ipc namespace: here, the host.");
}

void without_uts(Narrator& tell) {
  const auto name_of_host_after = [&](const Without& without) {
    Child host(CLONE_NEWUTS, [&](Talk& chapter) {
      raw::call(SYS_sethostname, "played", 6);
      Payload payload(tell, container(without));
      ask(payload, "hostname renamed; echo");
      chapter.say(hostname());
      return 0;
    });
    return host.talk().line();
  };
  const Without weak{.parts = capability_parts, .namespaces = CLONE_NEWUSER};
  Without none = weak;
  none.namespaces |= CLONE_NEWUTS;
  tell.step("a played host is called \"played\"; a container with all capabilities and no user namespace says: hostname renamed");
  tell.show("the host's name afterwards", name_of_host_after(weak), is("played"));
  tell.step("the same without the uts namespace, and at last with the filter taken away too");
  tell.show("the host's name afterwards", name_of_host_after(none), is("played"));
  none.parts.push_back("seccomp");
  tell.show("the host's name afterwards", name_of_host_after(none), is("renamed"));
  tell.result("three protections stand before one name: the namespace, the capability, the filter. One is left, and it holds.");
}

void without_pivot(Narrator& tell) {
  const char* const system = "grep ^ID= /etc/os-release";
  tell.step("the whole plan");
  {
    Payload whole(tell, container());
    tell.show("its /etc/os-release says", ask(whole, system), is("ID=drydock-busybox"));
    tell.show("is its / the host's?", ask(whole, "stat -c %d:%i /") == root_of_the_host(), is(false));
  }
  tell.step("without pivot_root: the image is mounted, and nobody went there");
  Payload none(tell, container({.parts = {"pivot"}}));
  tell.show("the host's /etc/os-release?", sys::read_file("/etc/os-release").find(ask(none, system) + "\n") != std::string::npos,
            is(true));
  tell.show("is its / the host's?", ask(none, "stat -c %d:%i /") == root_of_the_host(), is(true));
  tell.result("a mount namespace is a copy of the list of mounts. What is in it is a root only when the process is moved there.");
}

}  // namespace drydock::chapter::full_run
