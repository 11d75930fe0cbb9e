// Chapter 01: how a process is made. What fork copies, what it shares, who waits for whom; and the plan with a single clone3.
#include <drydock/kernel/sys.hpp>
#include <drydock/namespaces/kinds.hpp>

#include "experiments.hpp"
#include "experiments/region.hpp"
#include "shared/chapter.hpp"
#include "shared/child.hpp"
#include "shared/look.hpp"
#include "shared/payload.hpp"

namespace drydock::chapter::fork_clone {

using namespaces::id_of;
using namespaces::Kind;

void story(Narrator& tell) {
  constexpr std::size_t pages = 4096;
  tell.question(
      "a process has written 4096 pages, and forks. How many of them does fork copy, and how many has the child copied when it "
      "has written to 100?");
  tell.step("write, fork, and let the child write one byte to each of 100 pages");
  Region all(pages - 100), few(100);
  all.write_each_page();
  few.write_each_page();
  Child child(0, [&](Talk& chapter) {
    chapter.say(std::to_string(all.kilobytes("Private_Dirty") + few.kilobytes("Private_Dirty")));
    chapter.say(std::to_string(faults_of(few, &Region::write_each_page)));
    chapter.say(std::to_string(all.kilobytes("Private_Dirty") + few.kilobytes("Private_Dirty")));
    chapter.line();
    return 7;
  });
  tell.show("kB copied by fork", child.talk().line(), is("0"));
  tell.show("page faults of 100 writes", child.talk().line(), is("100"));
  tell.show("kB that the child has of its own", child.talk().line(), is(std::to_string(100 * page_bytes() / 1024)));
  tell.step("the child ends with status 7, and nobody waits yet");
  const pid_t pid = child.pid();
  child.talk().close();
  child.ends_within(2000);
  tell.show("its state", status_field(pid, "State"), is("Z (zombie)"));
  tell.show("status that wait returns", child.wait().code(), is(7));
  tell.step("the plan of this chapter: clone3 without a flag, then execve(\"cat\")");
  Payload payload(tell, sketch_of(1, request_of_this_user()));
  for (const Kind kind : {Kind::uts, Kind::pid, Kind::net})
    tell.show(std::string(namespaces::info(kind).name) + " namespace", Sides{id_of(0, kind), id_of(payload.pid(), kind)}, same());
  tell.show("exit status of cat", payload.end(), is(0));
  tell.result(
      "a child is cheap, shares what it can, and sees all that its parent sees. Isolation is what the next chapters add.");
}

const std::vector<Experiment> experiments = {
    {"copy-on-write",
     "A process of 4096 pages forks. How many are copied by fork, and when are the others?",
     {"N1-163", "N1-164", "N1-174", "N1-176", "E-012"},
     {},
     copy_on_write},
    {"still-shared", "After fork, does nothing belong to both any more?", {"N1-164", "N1-172", "E-011"}, {}, still_shared},
    {"which-call",
     "Which system call is behind fork(), and where does it end in the kernel?",
     {"N1-160", "N1-161", "E-007", "E-008"},
     {needs::readable("/proc/kallsyms")},
     which_call},
    {"vfork", "Does vfork make a thread?", {"N1-161", "E-006"}, {}, vfork_child},
    {"zombie", "A child has ended and nobody has waited. What is left of it?", {"N1-168", "E-009", "U-11"}, {}, zombie},
    {"orphan",
     "The parent of a process dies. What becomes of it, and who is its parent now?",
     {"N1-168", "E-009", "U-11"},
     {},
     orphan},
    {"double-print",
     "A program prints one line, then forks. Why is the line there twice?",
     {"N1-166", "E-015"},
     {},
     double_print},
    {"page-size", "How large is a page, and who hands them out?", {"N1-175", "E-005"}, {}, page_size},
    {"same-map", "Do parent and child run the same code, or two copies of it?", {"N1-171"}, {}, same_map},
    {"fork-cost",
     "If nothing is copied, why does a large process take longer to fork?",
     {"N1-174", "N1-176", "E-012"},
     {},
     fork_cost},
    {"not-inherited", "Parent and child: do they differ in the pid only?", {"N1-164", "E-013"}, {}, not_inherited},
    {"clone-vm", "What makes a thread: that it shares memory?", {"N1-162", "E-010"}, {}, clone_vm},
    {"kernel-threads",
     "What does a kernel thread not have?",
     {"N1-162", "E-010"},
     {needs::readable("/proc/2/maps")},
     kernel_threads},
    {"return-values",
     "One call, two processes. What does each get, and what if there is no second one?",
     {"N1-167", "E-016"},
     {},
     return_values},
    {"order", "Who runs first after fork?", {"N1-169", "N1-170", "E-015"}, {}, order},
    {"interleaving", "Do the lines of parent and child interleave?", {"N1-173", "E-015"}, {}, interleaving},
    {"python", "Is os.fork() of Python asynchronous?", {"N1-166", "N1-169", "E-015"}, {needs::program("python3")}, python_script},
    {"double-fork", "Why do daemons fork twice?", {"U-11"}, {}, double_fork},
    {"sigchld", "How does a parent learn that a child has ended, and what if it does not care?", {"U-11"}, {}, child_signal},
    {"pidfd", "A pid may be used again. How does one hold on to a process?", {"U-11"}, {}, pidfd},
    {"fork-server", "A server forks a child for each request and \"only listens\". What piles up?", {"N1-165"}, {}, fork_server},
    {"fork-bomb",
     "A program forks and forks. What stops it, and does the machine notice?",
     {"N1-177", "E-016", "U-05"},
     {needs::controller("pids")},
     fork_bomb},
    {"clone-flags", "What has clone to do with namespaces?", {"N1-149"}, {needs::namespaces()}, namespaces_at_birth},
};

const std::vector<NotShown> not_shown = {
    {"E-014", "that other Unix systems have os.fork and Windows has not can only be seen on those"},
};

}  // namespace drydock::chapter::fork_clone

int main(int argc, char** argv) {
  using namespace drydock::chapter;
  return drydock::chapter::main({.number = 1,
                                 .name = "fork-clone",
                                 .idea = "how a process is made: what fork copies, what stays shared, and who waits for whom",
                                 .story = fork_clone::story,
                                 .experiments = fork_clone::experiments,
                                 .not_shown = fork_clone::not_shown,
                                 .inside = {{"bomb", fork_clone::bomb}}},
                                argc, argv);
}
