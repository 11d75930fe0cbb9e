// Chapter 02: the first namespace. Two host names on one kernel, and the calls that make, join and keep a namespace.
#include <drydock/namespaces/kinds.hpp>

#include "experiments.hpp"
#include "shared/chapter.hpp"
#include "shared/child.hpp"
#include "shared/look.hpp"
#include "shared/payload.hpp"

namespace drydock::chapter::uts {

using namespaces::id_of;
using namespaces::Kind;

void story(Narrator& tell) {
  const std::string before = hostname();
  tell.question(
      "a process gets a UTS namespace of its own and calls sethostname(\"lab02\"). What does the host answer to `hostname` "
      "afterwards?");
  tell.step("clone3(CLONE_NEWUTS); in the child: sethostname(\"lab02\"), setdomainname(\"drynis\"), execve(\"cat\")");
  Payload payload(tell, sketch_of(2, request_of_this_user()));
  const auto look_inside = [&](std::string (*look)()) { return visit(payload.pid(), {Kind::user, Kind::uts}, look); };
  tell.show("hostname", Sides{hostname(), look_inside(hostname)}, are(before, std::string("lab02")));
  tell.show("NIS domain", Sides{nis_domain(), look_inside(nis_domain)}, differ());
  tell.show("uts namespace", Sides{id_of(0, Kind::uts), id_of(payload.pid(), Kind::uts)}, differ());
  tell.step("what else has changed?");
  for (const Kind kind : {Kind::pid, Kind::mnt, Kind::net, Kind::ipc})
    tell.show(std::string(namespaces::info(kind).name) + " namespace", Sides{id_of(0, kind), id_of(payload.pid(), kind)}, same());
  tell.show("kernel", Sides{kernel_version(), look_inside(kernel_version)}, same());
  tell.step("the program ends, and with its last process the namespace");
  tell.show("exit status of cat", payload.end(), is(0));
  tell.show("hostname of the host, at last", hostname(), is(before));
  tell.result("one namespace, one view: two names, and nothing else. The kernel below is the same.");
}

const std::vector<Experiment> experiments = {
    {"two-names",
     "A container sets its host name. Who sees it?",
     {"N0-090", "N1-143", "N1-178", "U-06"},
     {needs::namespaces()},
     two_names},
    {"same-namespace",
     "Which processes see a change: all, the children, or those of the same namespace?",
     {"N1-140", "N1-156", "E-022"},
     {needs::namespaces()},
     same_namespace},
    {"three-calls",
     "Which system calls make and join namespaces, and which only tell about them?",
     {"N1-149", "N1-151", "N1-158", "E-017", "U-09"},
     {needs::namespaces()},
     three_calls},
    {"eight-kinds",
     "How many kinds of namespaces are there, and what does one clone flag change?",
     {"N1-139", "N1-142", "N4-003", "E-018", "E-019"},
     {needs::namespaces(), needs::kernel(5, 6)},
     eight_kinds},
    {"pin",
     "Does a bind mount keep a namespace whose processes have all ended?",
     {"N1-159", "E-020", "U-10"},
     {needs::namespaces()},
     pin},
    {"dead-init",
     "An open descriptor keeps a namespace. Can a process always be added to it?",
     {"E-021", "U-10"},
     {needs::namespaces()},
     dead_init},
    {"not-the-network",
     "Does its own host name make a container a node of the network?",
     {"N0-090", "N1-178", "E-027"},
     {needs::namespaces()},
     not_the_network},
    {"descriptor",
     "All processes of a namespace have ended; a descriptor is open. Is it still there?",
     {"N1-157"},
     {needs::namespaces()},
     descriptor},
    {"join", "How does a runtime's exec enter a container?", {"N1-151", "N1-158"}, {needs::namespaces()}, join},
    {"links",
     "What is a link below /proc/PID/ns?",
     {"N1-150", "N1-152", "N1-153", "N1-155", "E-018", "E-020"},
     {needs::namespaces()},
     links},
    {"own-pid", "Which process is $$ in /proc/$$/ns?", {"N1-154"}, {}, own_pid},
    {"one-view",
     "A process has namespaces of its own. What does it still know of the outside?",
     {"N1-140", "E-026"},
     {needs::namespaces()},
     one_view},
    {"nis-domain", "Which domain name does the namespace isolate?", {"N1-143", "E-028"}, {needs::namespaces()}, nis_domain_only},
    {"who-may", "Who may set the name of a namespace?", {"N1-178"}, {needs::namespaces()}, who_may},
    {"last-holder", "When does the kernel free a namespace?", {"N1-157"}, {needs::namespaces()}, last_holder},
};

}  // namespace drydock::chapter::uts

int main(int argc, char** argv) {
  using namespace drydock::chapter;
  return drydock::chapter::main({.number = 2,
                                 .name = "uts",
                                 .idea = "one kernel, two host names: the first namespace, and the calls for all of them",
                                 .story = uts::story,
                                 .needs = {needs::namespaces()},
                                 .experiments = uts::experiments},
                                argc, argv);
}
