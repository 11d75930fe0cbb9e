// Chapter 03: process numbers of one's own, and what it means to be process 1.
#include <signal.h>

#include <drydock/kernel/sys.hpp>
#include <drydock/namespaces/kinds.hpp>

#include "experiments.hpp"
#include "experiments/agent.hpp"
#include "shared/chapter.hpp"
#include "shared/child.hpp"
#include "shared/look.hpp"
#include "shared/payload.hpp"

namespace drydock::chapter::pid {

using namespaces::id_of;
using namespaces::Kind;

void story(Narrator& tell) {
  tell.question(
      "a program is process 1 of a pid namespace of its own. It calls kill(1, SIGKILL), then the host does the same to it. Which "
      "of the two ends it?");
  tell.step("clone3(CLONE_NEWPID|CLONE_NEWNS); in the child: mount a /proc of its own, then the program");
  Payload payload(tell, with_agent());
  tell.show("pid", Sides{text(Pid{payload.pid()}), text(Pid{std::stoi(ask(payload, "pid"))})}, differ());
  tell.show("pid namespace", Sides{id_of(0, Kind::pid), id_of(payload.pid(), Kind::pid)}, differ());
  tell.show("processes in /proc", Sides{text(About{static_cast<double>(processes().size())}), ask(payload, "processes")},
            satisfies("1 inside", [](const auto& both) { return both.container == "1"; }));
  tell.show("/proc/1 inside is", visit(payload.pid(), {Kind::user, Kind::pid, Kind::mnt}, [] { return status_field(1, "Name"); }),
            is("ch03-pid"));
  tell.step("it makes two children, and sends SIGKILL to itself");
  ask(payload, "fork");
  ask(payload, "fork");
  tell.show("kill(1, SIGKILL), inside", ask(payload, "kill 1 " + std::to_string(SIGKILL)), is("it succeeds"));
  tell.show("processes inside afterwards", ask(payload, "processes"), is("3"));
  tell.step("the host sends SIGKILL to the same process, by the pid that it has there");
  const pid_t pid = payload.pid();
  payload.signal(SIGKILL);
  tell.show("exit status", payload.wait(), is(128 + SIGKILL));
  tell.show("is anybody left of it?", is_alive(pid), is(false));
  tell.result("process 1 is deaf to its own, not to those above; and when it ends, the kernel ends all of its namespace.");
}

const std::vector<Experiment> experiments = {
    {"translation",
     "How many pids has a process three namespaces down?",
     {"N1-145", "N1-188", "U-08"},
     {needs::namespaces()},
     translation},
    {"stale-proc", "A new pid namespace: why does ps still show the host?", {"U-08"}, {needs::namespaces()}, stale_proc},
    {"from-inside",
     "May a process of the container end process 1?",
     {"N1-186", "E-037", "U-08"},
     {needs::namespaces()},
     from_inside},
    {"from-above", "Which signals of the host reach process 1?", {"N1-185", "E-037", "U-08"}, {needs::namespaces()}, from_above},
    {"reaping",
     "A program as process 1 never waits for orphans. What piles up, and what does --init change?",
     {"N1-192", "U-08"},
     {needs::namespaces()},
     reaping},
    {"shell-sigterm",
     "Why does stopping a shell take ten seconds?",
     {"N1-186", "N1-192"},
     {needs::namespaces()},
     shell_and_sigterm},
    {"nesting", "How deep can pid namespaces be nested?", {"N0-082", "E-036", "U-08"}, {needs::namespaces()}, nesting},
    {"own-counters", "Two pid namespaces: may both have a process 2?", {"N0-080", "N1-183"}, {needs::namespaces()}, own_counters},
    {"tree", "Which pid namespace is the parent of which?", {"N1-184"}, {needs::namespaces()}, tree},
    {"all-below",
     "Does the host see the processes of a container in a container?",
     {"N1-185", "N1-188"},
     {needs::namespaces()},
     all_below},
    {"users", "Do pid namespaces separate users?", {"N0-080", "E-034"}, {needs::root()}, users},
    {"parents", "Whose child is a container's process 1?", {"N0-081", "E-035"}, {needs::namespaces()}, parents},
    {"members", "How does one list the processes of a container?", {"N1-189", "E-035"}, {needs::controller("pids")}, members},
    {"outwards", "Can a container reach a process outside?", {"N1-187", "E-038"}, {needs::namespaces()}, outwards},
    {"kill-everybody", "Whom does kill(-1) reach?", {"N1-187", "E-037"}, {needs::namespaces()}, kill_everybody},
    {"death-of-init",
     "Process 1 ends. What becomes of the others?",
     {"N1-186", "E-037", "U-08"},
     {needs::namespaces()},
     death_of_init},
    {"after-init", "May a process be added when process 1 has ended?", {"N1-186"}, {needs::namespaces()}, after_init},
    {"adoption", "Does init end an orphan?", {"N1-191", "E-032"}, {needs::namespaces()}, adoption},
    {"init-sleeps",
     "Is init the parent of all, and does it watch them all the time?",
     {"N1-190", "E-033"},
     {needs::namespaces(), needs::readable("/proc/2/status")},
     init_sleeps},
};

}  // namespace drydock::chapter::pid

int main(int argc, char** argv) {
  using namespace drydock::chapter;
  return drydock::chapter::main({.number = 3,
                                 .name = "pid",
                                 .idea = "process numbers of one's own, and what it means to be process 1",
                                 .story = pid::story,
                                 .needs = {needs::namespaces()},
                                 .experiments = pid::experiments,
                                 .inside = {{"agent", pid::agent}}},
                                argc, argv);
}
