// Chapter 12: the full run. Everything that the chapters before it made, in one plan, executed and timed; then each protection is
// taken away.
#include <algorithm>
#include <bit>
#include <string>

#include <drydock/kernel/sys.hpp>
#include <drydock/namespaces/kinds.hpp>

#include "experiments.hpp"
#include "experiments/protections.hpp"
#include "shared/chapter.hpp"
#include "shared/image.hpp"
#include "shared/look.hpp"
#include "shared/payload.hpp"

namespace drydock::chapter::full_run {

namespace {

std::string number_of(int chapter) {
  return (chapter < 10 ? "0" : "") + std::to_string(chapter);
}

// What each chapter brought, by the difference between neighbouring plans.
void contributions(Narrator& tell) {
  plan::Plan before;
  for (const Growth::Words& growth : growths()) {
    plan::Plan now = plan_of(growth.chapter);
    tell.show("new steps of chapter " + number_of(growth.chapter), difference(before, now).added.size(), at_least(1));
    before = std::move(now);
  }
  tell.show("steps of the whole plan", before.steps().size(), at_least(100));
}

struct Executed {
  std::size_t steps = 0;
  std::uint64_t longest_ns = 0;
};

Executed executed(const plan::Ledger& ledger) {
  Executed all;
  for (unsigned index = 0; index < ledger.header().step_count; ++index) {
    const plan::wire::Record& record = ledger.record(index);
    if (record.begin_ns == 0) continue;
    ++all.steps;
    if (record.end_ns > record.begin_ns) all.longest_ns = std::max(all.longest_ns, record.end_ns - record.begin_ns);
  }
  return all;
}

}  // namespace

void story(Narrator& tell) {
  tell.question(
      "eleven chapters made one plan. How many steps has it, which chapter brought most, and how long does the kernel take for "
      "all of them?");
  tell.step("the plan for a machine with cgroup v2, as ch12-full-run --plan prints it");
  contributions(tell);
  tell.step("execute the one for this machine");
  Payload payload(tell, container());
  const plan::wire::Header& head = payload.launch().ledger().header();
  const Executed all = executed(payload.launch().ledger());
  const Time start{head.exec_mono_ns - head.spawned_mono_ns}, longest{all.longest_ns};
  tell.show("steps that were executed", About{static_cast<double>(all.steps), "steps"}, at_least(About{100, "steps"}));
  tell.show("from spawn to execve", start, satisfies("longer than any step", [&](Time seen) { return seen > longest; }));
  tell.show("its longest step", longest, satisfies("a part of it", [&](Time seen) { return seen < start; }));
  tell.step("what came of it");
  const facts::Snapshot host = facts::take(sys::getpid()), inside = payload.facts();
  for (const namespaces::Kind kind :
       {namespaces::Kind::mnt, namespaces::Kind::pid, namespaces::Kind::net, namespaces::Kind::user})
    tell.show(std::string(namespaces::info(kind).name) + " namespace",
              Sides{namespaces::id_of(0, kind), namespaces::id_of(payload.pid(), kind)}, differ());
  tell.show("seccomp", facts::seccomp_words(inside.status.seccomp), is("filter"));
  tell.show("no_new_privs", inside.status.no_new_privs, is(true));
  tell.show("capabilities of its root", std::popcount(inside.status.capabilities.effective), at_most(14));
  tell.show("its system", ask(payload, "grep ^ID= /etc/os-release"), is("ID=drydock-busybox"));
  tell.show("exit status of sh", payload.end(), is(0));
  tell.result("a container is a list of system calls, and no call is more than an idea of one chapter. Take one away, and see.");
}

namespace {

// A guest of a hypervisor whose processes 2 and above are its kernel's own.
Need virtual_machine() {
  return {"a virtual machine", [] {
            const bool guest = sys::read_file("/proc/cpuinfo").find(" hypervisor") != std::string::npos;
            const auto second = sys::read_file_if_present("/proc/2/comm");
            if (guest && second && second->starts_with("kthreadd")) return std::string();
            return std::string("no virtual machine, or one that does not say so; ./lab vm shell is one");
          }};
}

// Where lxc-checkconfig finds it.
Need kernel_configuration() {
  return {"the kernel's configuration", []() -> std::string {
            if (sys::exists("/proc/config.gz") || sys::exists("/boot/config-" + kernel_version())) return {};
            return "this kernel does not show its configuration; use one with /proc/config.gz, or with its file in /boot";
          }};
}

Need no_emulator() {
  return {"no emulator", [] {
            for (const char* name : {"qemu-aarch64", "qemu-x86_64"})
              if (sys::exists(std::string("/proc/sys/fs/binfmt_misc/") + name))
                return std::string("foreign programs are emulated here; remove ") + name + " from binfmt_misc";
            return std::string();
          }};
}

const std::vector<Need> whole{needs::namespaces(), needs::image()};
const std::vector<Need> as_root{needs::root(), needs::image()};
const std::vector<Need> lxc{needs::root(), needs::program("lxc-create", "lxc")};
const std::vector<Need> runc{needs::program("runc"), needs::namespaces(), needs::image()};

}  // namespace

const std::vector<Experiment> experiments = {
    {"four-parts",
     "Where does the kernel say that a process is in a container?",
     {"N0-012", "N0-073", "N1-133", "N2-001", "N4-021", "U-19"},
     {needs::namespaces(), needs::image(), needs::controller("pids")},
     four_parts},
    {"without-capabilities",
     "The container's root keeps all capabilities. What may it do?",
     {"N1-006", "E-187"},
     whole,
     without_capabilities},
    {"without-seccomp", "No filter. What may a program without any capability do?", {"N1-006", "E-187"}, whole, without_seccomp},
    {"without-user", "No user namespace, as in Docker. Who is root inside?", {}, as_root, without_user},
    {"without-pid", "No pid namespace. Whom can the container's root kill?", {}, as_root, without_pid},
    {"without-limits",
     "No control groups. How many processes can it start?",
     {},
     {needs::image(), needs::controller("pids")},
     without_limits},
    {"own-files", "Which files do a container and the host share?", {"N0-076", "N1-001", "E-024"}, whole, own_files},
    {"without-no-new-privs", "A set-user-id program in the image: whose rights has it?", {}, as_root, without_no_new_privs},
    {"without-masks", "What does /proc tell that no namespace separates?", {}, whole, without_masks},
    {"without-read-only", "Who may write /proc/sys?", {}, whole, without_read_only},
    {"without-net", "No network namespace. Whose links does it see?", {}, as_root, without_net},
    {"without-ipc", "No ipc namespace. Whose queues does it see?", {}, as_root, without_ipc},
    {"without-uts", "No uts namespace. Whose name does it change?", {}, as_root, without_uts},
    {"without-pivot", "The image is mounted, and nobody enters it. Whose files does it see?", {}, whole, without_pivot},
    {"without-cgroup-namespace",
     "What does a container learn from the name of its group?",
     {},
     {needs::image(), needs::controller("pids")},
     without_cgroup_namespace},
    {"shared-namespaces",
     "Does every container have all namespaces of its own?",
     {"N0-079", "E-023"},
     as_root,
     shared_namespaces},
    {"usage",
     "Run = CPU + memory + storage: who counts them?",
     {"N2-011", "N3-035"},
     {needs::image(), needs::controller("memory"), needs::controller("cpu"), needs::controller("pids")},
     usage},
    {"one-kernel", "Which kernel starts with a container?", {"N0-001", "N1-003", "N2-002", "N3-036"}, whole, one_kernel},
    {"guest",
     "What has a virtual machine that a container has not?",
     {"N0-002", "N0-074", "E-001"},
     {needs::namespaces(), needs::image(), virtual_machine()},
     guest},
    {"foreign",
     "Does a container run on any operating system and machine?",
     {"N1-004", "E-002"},
     {needs::namespaces(), needs::image(), no_emulator()},
     foreign},
    {"many", "Fifty containers at once: how long does a start take?", {"N1-002", "N1-005", "E-187"}, whole, many},
    {"init-system", "Can a container start with init, like a machine?", {"N4-011"}, whole, init_system},
    {"no-move", "Can a running container be moved?", {"N4-032", "E-097"}, {needs::root(), needs::image()}, no_move},
    {"chroot", "What lies between a chroot and a virtual machine?", {"N4-010"}, whole, chroot_and_container},
    {"lxc-session",
     "What do the tools of LXC do, one after the other?",
     {"N4-002", "N4-013", "N4-014", "N4-015", "N4-017", "N4-018", "U-27"},
     lxc,
     lxc_session},
    {"lxc-console", "What does lxc-console connect?", {"N4-016", "U-27"}, lxc, lxc_console},
    {"lxc-snapshot",
     "What is in a snapshot of a container?",
     {"N4-019", "U-27"},
     {needs::root(), needs::program("lxc-create", "lxc"), needs::program("rsync")},
     lxc_snapshot},
    {"lxc-today",
     "Which of the notes' LXC commands work as they are written?",
     {"N4-012", "E-180", "E-181", "U-27"},
     {needs::root(), needs::program("lxc-create", "lxc"), kernel_configuration()},
     lxc_today},
    {"runc-bundle", "What does runc need in order to run a container?", {"N4-024", "U-28"}, runc, runc_bundle},
    {"runc-parent", "Whose child is a container that runc made?", {"N4-025", "E-149"}, runc, runc_parent},
    {"libcontainer", "Did runC replace libcontainer?", {"N4-023", "N4-026", "E-149"}, {needs::program("runc")}, libcontainer},
};

const std::vector<NotShown> not_shown = {
    {"N0-003", "it is about hosts that run Windows or macOS; the guest of such a host is what one-kernel and guest show"},
    {"N0-106", "a history of versions from 2013 to 2016; what of it is left in today's programs, libcontainer shows"},
    {"E-135", "which release of Docker left LXC can be read in its changelog, and is seen on no machine"},
    {"N4-001", "a figure"},
    {"N4-020", "the web panel wants CentOS, the network and Python 2"},
    {"N4-022", "SELinux labels are of CentOS 7; its cgroups and namespaces are those of this chapter"},
};

}  // namespace drydock::chapter::full_run

int main(int argc, char** argv) {
  using namespace drydock::chapter;
  return drydock::chapter::main(
      {.number = 12,
       .name = "full-run",
       .idea = "the whole plan: counted, executed, timed; then each protection is taken away",
       .story = full_run::story,
       .needs = {needs::namespaces(), needs::image()},
       .experiments = full_run::experiments,
       .not_shown = full_run::not_shown,
       .request = [](std::vector<std::string> command) { return request_with_image(std::move(command)); }},
      argc, argv);
}
