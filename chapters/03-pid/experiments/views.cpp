// Who sees whom: /proc shows the namespace of whoever mounted it, and every namespace shows those below.
#include <errno.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include <drydock/kernel/raw.hpp>
#include <drydock/kernel/sys.hpp>
#include <drydock/namespaces/kinds.hpp>

#include "experiments.hpp"
#include "experiments/agent.hpp"
#include "shared/child.hpp"
#include "shared/look.hpp"
#include "shared/own_group.hpp"
#include "shared/payload.hpp"

namespace drydock::chapter::pid {

using namespaces::id_of;
using namespaces::Kind;

namespace {

About count(std::size_t number) {
  return {static_cast<double>(number), "processes"};
}

}  // namespace

namespace {

std::string first_process(const Payload& payload) {
  return visit(payload.pid(), {Kind::user, Kind::pid, Kind::mnt}, [] { return status_field(1, "Name"); });
}

}  // namespace

void stale_proc(Narrator& tell) {
  tell.step("the container of this chapter without its last mount: a new pid namespace, and the host's /proc");
  Sketch without = sketch_of(3, request_of_this_user(inside("agent")));
  without.remove("proc");
  Payload stale(tell, std::move(without));
  const auto listed = [](Payload& payload) { return std::stoul(ask(payload, "processes")); };
  tell.show("it calls itself", "process " + ask(stale, "pid"), is("process 1"));
  tell.show("processes in its /proc", count(listed(stale)),
            satisfies("those of the host", [](const About& seen) { return seen.value > 2; }));
  tell.show("is its /proc/1 the host's process 1?", first_process(stale) == status_field(1, "Name"), is(true));
  tell.step("the container as the plan has it: mount(\"proc\", \"/proc\", ...) before the program starts");
  Payload payload(tell, with_agent());
  tell.show("processes in its /proc", listed(payload), is(1));
  tell.show("is its /proc/1 the host's process 1?", first_process(payload) == status_field(1, "Name"), is(false));
  tell.result("ps reads /proc, and a mounted /proc belongs to a pid namespace for good. A new namespace needs a new mount.");
}

void all_below(Narrator& tell) {
  tell.step("a container with two processes, and one in a further pid namespace inside it");
  Child top(for_this_user(CLONE_NEWPID), [](Talk& chapter) {
    Child sibling(0, [](Talk& talk) { return talk.line().empty() ? 0 : 1; });
    Child below(CLONE_NEWPID, [](Talk& talk) { return talk.line().empty() ? 0 : 1; });
    chapter.say("ready");
    chapter.line();
    return 0;
  });
  top.talk().line();
  const std::uint64_t ours = id_of(0, Kind::pid);
  const auto all = processes();
  const std::string number = std::to_string(top.pid());
  const std::string children = sys::read_file("/proc/" + number + "/task/" + number + "/children");
  tell.show("its process 1, in our /proc", std::count(all.begin(), all.end(), top.pid()), is(1));
  const std::size_t space = children.find(' ');
  for (const pid_t child : {std::stoi(children), std::stoi(children.substr(space))}) {
    tell.show("one of its children, in our /proc", std::count(all.begin(), all.end(), child), is(1));
    tell.show("in our pid namespace?", id_of(child, Kind::pid) == ours, is(false));
  }
  tell.result("from above, everything below is seen, at any depth. A container hides the host, never itself from the host.");
}

namespace {

constexpr unsigned somebody = 65534;

// What kill(pid, 0) answers to another user: EPERM says that the process is there.
Outcome seen_by(unsigned user, pid_t pid) {
  Child asks(0, [=](Talk& talk) {
    raw::call(SYS_setresgid, user, user, user);
    raw::call(SYS_setresuid, user, user, user);
    talk.say(std::to_string(raw::call(SYS_kill, pid, 0)));
    return 0;
  });
  return {std::stol(asks.talk().line())};
}

}  // namespace

void users(Narrator& tell) {
  tell.step("one pid namespace, two users: does uid 65534 see a process of root? (kill(pid, 0): EPERM is yes, ESRCH no)");
  Child of_root(0, [](Talk& chapter) { return chapter.line().empty() ? 0 : 1; });
  tell.show("kill(pid, 0) by the other user", seen_by(somebody, of_root.pid()), fails_with(EPERM));
  tell.step("two pid namespaces, one user: does root in one see root's process in the other?");
  Child other(CLONE_NEWPID, [pid = of_root.pid()](Talk& chapter) {
    chapter.say(text(Outcome{raw::call(SYS_kill, pid, 0)}));
    return 0;
  });
  tell.show("kill(pid, 0) by the same user", other.talk().line(), contains("ESRCH"));
  tell.result(
      "the namespace decides who is seen, the user who may be signalled. Users of one machine see each other's processes.");
}

void parents(Narrator& tell) {
  tell.step("who is the parent of a container's process 1?");
  Payload payload(tell, with_agent());
  const pid_t parent = std::stoi(status_field(payload.pid(), "PPid"));
  tell.show("its PPid, read inside", ask(payload, "parent 1"), is("0"));
  tell.show("its parent, seen from outside", status_field(parent, "Name"), is("drydock-monitor"));
  tell.show("is the program that started it its parent?", parent == sys::getpid(), is(false));
  tell.result(
      "inside there is no parent: 0. Outside it is a small process that stays with the container (Docker's is containerd-shim).");
}

void members(Narrator& tell) {
  OwnGroup group;
  Sketch sketch = with_agent();
  group.add_to(sketch);
  tell.step("a container in a control group of its own; it makes a child and an orphan");
  Payload payload(tell, std::move(sketch));
  ask(payload, "fork");
  ask(payload, "orphan");
  std::vector<pid_t> in_namespace;
  for (const pid_t pid : processes()) {
    const auto ids = namespaces::ids_of(pid);
    const auto found = ids.find(Kind::pid);
    if (found != ids.end() && found->second == id_of(payload.pid(), Kind::pid)) in_namespace.push_back(pid);
  }
  std::vector<pid_t> in_group = group.watch().pids();
  std::sort(in_group.begin(), in_group.end());
  tell.show("processes in its pid namespace", in_namespace.size(), is(3));
  tell.show("processes that cgroup.procs lists", in_group.size(), is(3));
  tell.show("the same ones?", in_group == in_namespace, is(true));
  const auto ours = std::count_if(in_group.begin(), in_group.end(),
                                  [](pid_t pid) { return status_field(pid, "PPid") == std::to_string(sys::getpid()); });
  tell.show("of them children of the program that started it", ours, is(0));
  tell.result(
      "who belongs to a container is asked of its group. Descendants of a daemon are another set, and filtering guesses.");
}

}  // namespace drydock::chapter::pid
