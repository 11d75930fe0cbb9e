// The duties of process 1: it adopts, it reaps, and it takes everybody with it.
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>

#include <sstream>
#include <string>

#include <drydock/kernel/sys.hpp>
#include <drydock/namespaces/kinds.hpp>

#include "experiments.hpp"
#include "experiments/agent.hpp"
#include "shared/child.hpp"
#include "shared/look.hpp"
#include "shared/payload.hpp"

namespace drydock::chapter::pid {

using namespaces::Kind;

namespace {

// Pids outside of the children of a process.
std::vector<pid_t> children_of(pid_t pid) {
  const std::string number = std::to_string(pid);
  std::istringstream words(sys::read_file("/proc/" + number + "/task/" + number + "/children"));
  std::vector<pid_t> out;
  for (pid_t child; words >> child;) out.push_back(child);
  return out;
}

}  // namespace

void death_of_init(Narrator& tell) {
  tell.step("a container with two children of process 1; the host kills process 1");
  Payload payload(tell, with_agent());
  ask(payload, "fork");
  ask(payload, "fork");
  const std::vector<pid_t> children = children_of(payload.pid());
  tell.show("children before", children.size(), is(2));
  payload.signal(SIGKILL);
  tell.show("exit status", payload.wait(), is(128 + SIGKILL));
  for (const pid_t child : children) tell.show("is a child still there?", is_alive(child), is(false));
  tell.result(
      "when process 1 ends, the kernel kills the rest of its pid namespace: stopping a container is killing one process.");
}

void after_init(Narrator& tell) {
  tell.step("process 1 of a pid namespace ends; a descriptor keeps the namespace");
  Child first(for_this_user(CLONE_NEWPID), [](Talk& chapter) { return chapter.line().empty() ? 0 : 1; });
  const Held held(first.pid(), Kind::pid);
  first.talk().close();
  tell.show("exit status of process 1", first.wait().code(), is(0));
  Child joins(0, [&](Talk& chapter) {
    chapter.say(text(Outcome{held.enter()}));
    std::optional<Child> made;
    chapter.say(text(Outcome{Child::start(
        0, [](Talk&) { return 0; }, made)}));
    return 0;
  });
  tell.show("setns", joins.talk().line(), is("it succeeds"));
  tell.show("fork", joins.talk().line(), contains("ENOMEM"));
  tell.result("ENOMEM without any lack of memory: this namespace has no process 1 any more, and never will again.");
}

void adoption(Narrator& tell) {
  tell.step("a grandchild in a container whose parent has ended");
  Payload payload(tell, with_agent());
  const std::string orphan = ask(payload, "orphan");
  tell.show("its parent now", ask(payload, "parent " + orphan), is("1"));
  pause_ms(100);
  tell.show("does it go on?", ask(payload, "kill " + orphan + " 0"), is("it succeeds"));
  tell.show("zombies meanwhile", ask(payload, "zombies"), is("0"));
  tell.step("it is ended by somebody else");
  ask(payload, "kill " + orphan + " " + std::to_string(SIGTERM));
  tell.show("and is a zombie, until process 1 waits", eventually([&] { return ask(payload, "zombies") == "1"; }), is(true));
  tell.result("adoption changes a number, PPid. init ends nobody: it waits when an orphan has ended by itself.");
}

void reaping(Narrator& tell) {
  tell.step("a program that leaves five orphans behind, which end at once; as process 1 it never waits for strangers");
  Payload careless(tell, with_agent());
  ask(careless, "litter 5");
  tell.show("zombies", eventually([&] { return ask(careless, "zombies") == "5"; }) ? "5" : ask(careless, "zombies"), is("5"));
  tell.step("the same program with --init before it");
  Payload reaped(tell, with_agent(true));
  tell.show("its pid inside", ask(reaped, "pid"), is("2"));
  ask(reaped, "litter 5");
  eventually([&] { return ask(reaped, "processes") == "2"; });
  tell.show("processes inside, with init", ask(reaped, "processes"), is("2"));
  tell.show("zombies", ask(reaped, "zombies"), is("0"));
  tell.result("whoever is process 1 inherits the dead of its namespace, and must wait for them. Few programs expect that.");
}

void init_sleeps(Narrator& tell) {
  tell.step("the machine's kthreadd, which is nobody's child");
  tell.show("parent of process 2", status_field(2, "Name") + ", parent " + status_field(2, "PPid"), is("kthreadd, parent 0"));
  tell.step("the init of a container, left alone for 300 ms");
  Payload payload(tell, with_agent(true));
  ask(payload, "pid");
  const auto switches = [&] { return std::stoul(status_field(payload.pid(), "voluntary_ctxt_switches")); };
  const unsigned long before = switches();
  pause_ms(300);
  tell.show("times that it woke up", switches() - before, is(0));
  tell.show("its state", status_field(payload.pid(), "State"), contains("S (sleeping)"));
  tell.step("a child of it ends");
  ask(payload, "litter 1");
  tell.show("has it woken up?", eventually([&] { return switches() > before; }), is(true));
  tell.result(
      "init sleeps until a signal comes: SIGCHLD. The table of processes is the kernel's; nobody checks it all the time.");
}

}  // namespace drydock::chapter::pid
