// Chapter 08: control groups. What a container may have, and what happens at the limit.
#include <drydock/container/parse.hpp>
#include <drydock/kernel/sys.hpp>

#include "experiments.hpp"
#include "experiments/disk.hpp"
#include "experiments/limited.hpp"
#include "shared/chapter.hpp"
#include "shared/look.hpp"

namespace drydock::chapter::control_groups {

void story(Narrator& tell) {
  tell.question(
      "one container may have 16 MiB and 64 tasks, another a tenth of a processor. In the first a process takes 32 MiB, in the "
      "second two never rest. Who is killed, who is slowed down, and who notices?");
  tell.step("for each: mkdir the groups, write the limits, clone3(CLONE_INTO_CGROUP) or \"0\" into tasks, execve(\"cat\")");
  cgroups::Limits little = memory_limit(16), slowly;
  little.pids = 64;
  slowly.cpus = 0.1;
  Limited small(tell, little), slow(tell, slowly);
  tell.show("in the group?", Sides{small.names_its_group(sys::getpid()), small.names_its_group(small.payload().pid())},
            are("no", "yes"));
  tell.show("memory of the first", container::size_words(std::stoull(small.setting("memory"))), is("16 MiB"));
  tell.show("tasks of the first", small.setting("pids"), is("64"));
  tell.step("a process joins the first one's group and takes 32 MiB");
  Child hog = small.member([](Talk&) {
    touch_memory(32);
    return 0;
  });
  tell.show("it ends with", hog.wait().code(), is(137));
  tell.show("kills that the kernel counted", small.group().events().oom_kills, is(1));
  tell.step("two join the second one's and spin for a second");
  Child one = slow.member(spin), two = slow.member(spin);
  one.talk().line();
  two.talk().line();
  const std::uint64_t begin = sys::monotonic_ns(), before = cpu_ns(slow);
  pause_ms(1000);
  const double part = static_cast<double>(cpu_ns(slow) - before) / static_cast<double>(sys::monotonic_ns() - begin);
  tell.show("processors that both used", About{part, ""},
            satisfies("at most 0.15", [](const About& seen) { return seen.value <= 0.15; }));
  tell.show("were they stopped in some periods?", slow.group().events().throttled_periods > 0, is(true));
  tell.step("and cat, which did nothing, in the first");
  small.payload().talk().say("still here");
  tell.show("it says", small.payload().talk().line(), is("still here"));
  tell.result(
      "memory cannot be taken back, so its limit kills; time can, so its limit waits. Both ask the group, not the process.");
}

const std::vector<Experiment> experiments = {
    {"knobs",
     "Which file sets which flag of docker run, on v1 and on v2?",
     {"N2-048", "U-23"},
     {needs::controller("memory"), needs::controller("cpu"), needs::controller("pids"), needs::controller("cpuset")},
     knobs},
    {"memory",
     "A process takes more than its group may have. Who is killed?",
     {"N2-035", "U-23"},
     {needs::controller("memory")},
     memory},
    {"memory-swap",
     "What does --memory-swap limit?",
     {"N2-035", "N2-036", "E-046", "U-23"},
     {needs::controller("memory"), swap_accounting()},
     memory_swap},
    {"shares",
     "Two containers want one processor, with 1024 shares and 512. Who gets what?",
     {"N2-039", "E-047", "U-23"},
     {needs::controller("cpu")},
     shares},
    {"fork-bomb",
     "A fork bomb goes off behind --pids-limit. What does the machine notice?",
     {"N0-093"},
     {needs::controller("pids"), needs::controller("cpu"), needs::controller("memory")},
     fork_bomb},
    {"write-bps",
     "30MB per second: how many bytes are that, and does it hold?",
     {"N2-041", "N2-044", "N2-047", "E-049", "U-23"},
     {disk_controller(), disk()},
     write_bps},
    {"no-controller",
     "Which resources have no controller?",
     {"N0-075", "E-050"},
     {needs::controller("memory"), disk()},
     no_controller},
    {"flags",
     "Which of the notes' flags are flags?",
     {"N2-037", "N2-038", "N2-040", "E-044", "E-045", "E-049"},
     {drydock()},
     flags},
    {"quota", "What does --cpus 0.5 do on an idle machine?", {"E-044", "U-23"}, {needs::controller("cpu")}, quota},
    {"eight-against-one",
     "Eight processes in one group, one in another: how is time divided?",
     {"N0-093", "N1-007"},
     {needs::controller("cpu")},
     eight_against_one},
    {"shares-clamped",
     "Which shares does v1 take, and what is the default?",
     {"N2-039", "E-047"},
     {needs::controller_v1("cpu")},
     shares_clamped_v1},
    {"weights", "What becomes of shares on v2?", {"N2-039", "E-047"}, {needs::controller_v2("cpu")}, weights_v2},
    {"cpuset", "What does --cpuset-cpus limit?", {"N2-040"}, {needs::controller("cpuset")}, cpuset},
    {"empty-cpuset",
     "Why does joining a new cpuset say that there is no space?",
     {},
     {needs::controller_v1("cpuset")},
     empty_cpuset_v1},
    {"page-cache", "Does reading a large file count as memory?", {"N0-095"}, {needs::controller("memory"), disk()}, page_cache},
    {"swap",
     "What does a limit on memory do when there is swap?",
     {"N2-036", "U-23"},
     {needs::controller("memory"), swap_accounting(), swap_space()},
     swap},
    {"freezer", "How are all processes of a container stopped at once?", {}, {needs::controller("cpu")}, freezer},
    {"devices", "Root opens a device node. Why EPERM?", {}, {needs::root(), needs::readable("/dev/kmsg")}, devices},
    {"own-root",
     "What does a container see of the tree that it stands in?",
     {"N4-009", "N2-048"},
     {needs::controller("memory")},
     own_root},
    {"no-members-inside",
     "Why can a group of v2 with controllers for its children have no members?",
     {},
     {needs::controller_v2("memory")},
     no_members_inside_v2},
    {"read-bps", "What does --device-read-bps slow down?", {"N2-041", "N2-043", "U-23"}, {disk_controller(), disk()}, read_bps},
    {"iops",
     "When are operations per second the better limit?",
     {"N2-041", "N2-045", "N2-046", "U-23"},
     {disk_controller(), disk()},
     iops},
    {"buffered-v1",
     "Does a limit on writes hold for writes through the page cache? (v1)",
     {"N2-044", "E-049"},
     {needs::controller_v1("blkio"), disk()},
     buffered_v1},
    {"buffered-v2",
     "Does a limit on writes hold for writes through the page cache? (v2)",
     {"N2-044", "E-049"},
     {needs::controller_v2("io"), disk()},
     buffered_v2},
    {"blkio-weight", "What does --blkio-weight need?", {"N2-042", "E-048", "U-23"}, {disk_controller(), disk()}, blkio_weight},
    {"versions", "Which version of control groups is this?", {"N0-094", "E-051"}, {needs::controller("memory")}, versions},
    {"no-container", "Where does the kernel keep a container?", {"N1-007", "E-004", "N4-009"}, {needs::root()}, no_container},
    {"accounting",
     "Where does docker stats get its numbers?",
     {"N0-095", "N4-056"},
     {needs::controller("memory"), needs::controller("pids"), needs::controller("cpu")},
     accounting},
};

}  // namespace drydock::chapter::control_groups

int main(int argc, char** argv) {
  using namespace drydock::chapter;
  return drydock::chapter::main(
      {.number = 8,
       .name = "cgroups",
       .idea = "what a group of processes may have: limits, shares, counters, and what happens at the limit",
       .story = control_groups::story,
       .needs = {needs::controller("memory"), needs::controller("cpu"), needs::controller("pids")},
       .experiments = control_groups::experiments},
      argc, argv);
}
