// The knob table, the flags, the two versions; what there is no controller for; and what a container is to the kernel.
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include <drydock/cgroups/knobs.hpp>
#include <drydock/kernel/sys.hpp>
#include <drydock/namespaces/kinds.hpp>

#include "experiments.hpp"
#include "experiments/disk.hpp"
#include "experiments/limited.hpp"
#include "shared/look.hpp"

namespace drydock::chapter::control_groups {

using namespaces::Kind;

namespace {

// Something of everything, so that there is a group in every hierarchy.
cgroups::Limits every_limit() {
  cgroups::Limits limits = memory_limit(64);
  limits.cpu_shares = 512;
  limits.cpus = 0.5;
  limits.cpuset_cpus = "0";
  limits.pids = 64;
  if (const auto disk = disk_below(scratch)) limits.write_bps = {{*disk, 1024 * mebibyte}};
  return limits;
}

bool has_file(const Limited& container, const cgroups::Knob& knob) {
  const cgroups::Place* place = container.layout().find(knob.v1_controller);
  const bool v1 = place != nullptr && place->version == cgroups::Version::v1;
  const std::string directory = container.directory(v1 ? knob.v1_controller : knob.v2_controller);
  return sys::exists(directory + "/" + std::string(v1 ? knob.v1_file : knob.v2_file));
}

}  // namespace

void knobs(Narrator& tell) {
  tell.step("each limit of docker run: the file that sets it on v1, and on v2. Those of this machine are looked for in a group");
  Limited container(tell, every_limit());
  for (const cgroups::Knob& knob : cgroups::knob_table()) {
    const bool there = has_file(container, knob), everywhere = knob.need == cgroups::Need::nothing;
    const auto is_there = [=](const std::string&) { return there || !everywhere; };  // what some kernels lack is warned about
    tell.show(std::string(knob.name), std::string(knob.v1_file) + " | " + std::string(knob.v2_file),
              Predicate{"a file of this machine's version", is_there, true});
  }
  tell.result(
      "`drydock run --plan -m 64M ...` prints the writes for the machine at hand, and a warning for what it does not have.");
}

namespace {

std::string drydock_beside_this_program() {
  const std::string chapter = sys::readlink("/proc/self/exe");
  return chapter.substr(0, chapter.rfind('/')) + "/drydock";
}

// What `drydock run WORDS busybox true` answers, both streams; --plan makes nothing.
std::string answer_of_run(const std::string& words) {
  const std::string command = "exec \"" + drydock_beside_this_program() + "\" run --plan " + words + " busybox true";
  auto [ours, theirs] = talk_pair();
  const Child child(0, [&](Talk&) {
    ::dup2(theirs.output(), 1);
    ::dup2(theirs.output(), 2);
    ::execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
    return 1;
  });
  theirs = Talk();
  const std::string all = ours.rest();
  return all.substr(0, all.find('\n'));
}

}  // namespace

Need drydock() {
  return {"drydock", [] {
            return sys::exists(drydock_beside_this_program())
                       ? ""
                       : "the program drydock is not beside this one; ./lab build makes it";
          }};
}

void flags(Narrator& tell) {
  tell.step("flags as the notes write them, given to `drydock run`, which has Docker's names");
  for (const char* words : {"--vm 2", "--vm-bytes 100M", "--cpu 2", "--device-wirte-bps /dev/sda:30MB"})
    tell.show(words, answer_of_run(words), contains("no such option"));
  tell.show("-memory 100M", answer_of_run("-memory 100M"), contains("write --memory"));
  tell.show("-m emory, as Docker reads that", answer_of_run("-m emory"), contains("emory"));
  tell.result("--vm, --vm-bytes and --cpu are options of stress(1), which ran in the container of the notes' example.");
}

void versions(Narrator& tell) {
  const cgroups::Layout layout = cgroups::read_layout();
  tell.step("the notes stop at Linux 2.6.24, which had version 1. What does this kernel have, and what is mounted?");
  const std::string known = sys::read_file("/proc/filesystems");
  tell.show("is cgroup2 (Linux 4.5) a file system here?", known.find("\tcgroup2\n") != std::string::npos, is(true));
  tell.show("is a tree of one version mounted?", layout.shape != cgroups::Shape::none, is(true));
  tell.step("one limit, set on the version that has the memory controller here");
  Limited container(tell, memory_limit(64));
  const std::string directory = container.directory("memory");
  const bool v1 = sys::exists(directory + "/memory.limit_in_bytes"), v2 = sys::exists(directory + "/memory.max");
  tell.show("exactly one of both files is in the group?", v1 != v2, is(true));
  tell.show("its content, in MiB", std::stoull(container.setting("memory")) / mebibyte, is(64));
  tell.result(
      "v1: a tree for each controller. v2: one tree for all, other files, members in leaves only. Read which one you have.");
}

void no_controller(Narrator& tell) {
  tell.step(
      "a container with every limit that docker run has. Which file of its groups is about the network, or the space on a disk?");
  Limited container(tell, every_limit());
  std::string found = "none";
  for (const char* controller : {"memory", "cpu", "pids", "cpuset", "blkio", "io"})
    if (const std::string directory = container.directory(controller); !directory.empty())
      for (const std::string& name : sys::list_directory(directory))
        if (name.starts_with("net") || name.find("quota_bytes") != std::string::npos || name.find("space") != std::string::npos)
          found = name;
  tell.show("such a file", found, is("none"));
  Child member = container.member([](Talk& chapter) {
    const Fd file = sys::open(scratch, O_TMPFILE | O_RDWR, 0600);
    const std::string block(mebibyte, 'x');
    for (int blocks = 0; blocks < 128; ++blocks) sys::write_all(file, block);
    chapter.say(std::to_string(static_cast<std::uint64_t>(sys::fstat(file).st_size) / mebibyte));
    return 0;
  });
  tell.show("MiB that a member wrote to a disk", member.talk().line(), is("128"));
  tell.step("what limits space is the file system: a tmpfs with size=1m");
  Child inside(for_this_user(CLONE_NEWNS), [](Talk& chapter) {
    raw::call(SYS_mount, "none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
    raw::call(SYS_mount, "none", "/mnt", "tmpfs", 0, "size=1m");
    const Fd file = sys::open("/mnt/file", O_CREAT | O_RDWR, 0600);
    const std::string block(mebibyte, 'x');
    chapter.say(text(Outcome{raw::call(SYS_pwrite64, file.get(), block.data(), block.size(), 0)}));
    chapter.say(text(Outcome{raw::call(SYS_pwrite64, file.get(), block.data(), block.size(), mebibyte)}));
    return 0;
  });
  tell.show("the first MiB", inside.talk().line(), is("it succeeds"));
  tell.show("the second", inside.talk().line(), contains("ENOSPC"));
  tell.result("bandwidth is a queue's business (tc), space a file system's. net_cls and net_prio only mark packets.");
}

void no_container(Narrator& tell) {
  tell.step("what the kernel knows of a process in a container");
  Limited container(tell, {});
  const pid_t pid = container.payload().pid();
  const std::string status = sys::read_file("/proc/" + std::to_string(pid) + "/status");
  tell.show("does /proc/PID/status say \"container\"?", status.find("ontainer") != std::string::npos, is(false));
  tell.show("numbers that it has (NSpid)",
            std::count(status.begin() + static_cast<long>(status.find("NSpid")),
                       status.begin() + static_cast<long>(status.find('\n', status.find("NSpid"))), '\t'),
            is(2));
  const auto groups_of = [](pid_t who) { return sys::read_file("/proc/" + std::to_string(who) + "/cgroup"); };
  tell.show("does /proc/PID/cgroup name its group?", container.names_its_group(pid), is("yes"));
  tell.step("a process of the host joins the groups, and no namespace");
  Child member = container.member([](Talk& chapter) { return chapter.line().empty() ? 0 : 1; });
  eventually([&] { return groups_of(member.pid()) == groups_of(pid); });
  tell.show("groups: the same as the container's?", groups_of(member.pid()) == groups_of(pid), is(true));
  tell.show("pid namespace", Sides{namespaces::id_of(member.pid(), Kind::pid), namespaces::id_of(pid, Kind::pid)}, differ());
  tell.result(
      "the kernel schedules tasks, sorted into groups. Limits and views are separate; \"a container\" is both, by agreement of "
      "tools.");
}

void accounting(Narrator& tell) {
  tell.step("a container, and a member that takes 16 MiB and spins for a while");
  Limited container(tell, every_limit());
  const cgroups::Usage before = container.group().usage();
  Child member = container.member([](Talk& chapter) {
    touch_memory(16);
    const std::uint64_t begin = sys::monotonic_ns();
    while (sys::monotonic_ns() - begin < 300'000'000) {
    }
    chapter.say("done");
    chapter.line();
    return 0;
  });
  member.talk().line();
  const cgroups::Usage after = container.group().usage();
  tell.show("MiB more than before", (after.memory_bytes.value_or(0) - before.memory_bytes.value_or(0)) / mebibyte, at_least(15));
  tell.show("tasks: cat and the member", after.tasks.value_or(0), is(2));
  tell.show("did the processor time grow?", after.cpu_ns.value_or(0) > before.cpu_ns.value_or(0), is(true));
  tell.show("pids.current says", std::stoi(sys::read_file(container.directory("pids") + "/pids.current")), is(2));
  tell.step("the member ends");
  member.talk().close();
  member.wait();
  tell.show("tasks", container.group().usage().tasks.value_or(0), is(1));
  tell.result("docker stats reads these files, once a second. What is counted is the group, whoever is in it.");
}

}  // namespace drydock::chapter::control_groups
