// Processes as members: how many, stopped together, which devices, and what they see of the tree.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include <drydock/kernel/error.hpp>
#include <drydock/kernel/sys.hpp>
#include <drydock/namespaces/kinds.hpp>

#include "experiments.hpp"
#include "experiments/limited.hpp"
#include "shared/look.hpp"

namespace drydock::chapter::control_groups {

using namespaces::Kind;

namespace {

constexpr std::uint64_t most_tasks = 32;

bool is_member(const Limited& container, pid_t pid) {
  const auto pids = container.group().pids();
  return std::find(pids.begin(), pids.end(), pid) != pids.end();
}

// Every process makes processes, and those do the same. Only behind limits that have been seen to work.
[[noreturn]] void bomb() {
  for (;;)
    if (::fork() < 0) ::usleep(1000);
}

Outcome open_device(const char* path) {
  const long fd = raw::call(SYS_openat, AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (!raw::failed(fd)) raw::call(SYS_close, fd);
  return {raw::failed(fd) ? fd : 0};
}

}  // namespace

void fork_bomb(Narrator& tell) {
  cgroups::Limits limits = memory_limit(64);
  limits.pids = most_tasks;
  limits.cpus = 0.5;
  tell.step("a container with --pids-limit 32 --cpus 0.5 -m 64M. Before anything explodes: does the limit hold?");
  Limited container(tell, limits);
  Child fuse = container.member([](Talk& chapter) {
    chapter.say("in");
    if (chapter.line() == "explode") bomb();
    return 0;
  });
  fuse.talk().line();
  const bool safe = container.setting("pids") == std::to_string(most_tasks) && is_member(container, fuse.pid());
  tell.show("the limit in the kernel", container.setting("pids"), is("32"));
  tell.show("is the one that will fork a member?", is_member(container, fuse.pid()), is(true));
  if (!safe) throw Error::refused("the fork bomb", "its limit is not in place", "this is a defect of the chapter");
  tell.step("for (;;) fork(); in every process that comes of it");
  fuse.talk().say("explode");
  eventually([&] { return container.group().events().fork_failures > 0; });
  pause_ms(200);
  tell.show("tasks in the group", container.group().usage().tasks.value_or(0), at_most(most_tasks));
  tell.show("did the kernel refuse forks?", container.group().events().fork_failures > 0, is(true));
  Child neighbour(0, [](Talk&) { return 0; });
  tell.show("exit status of a fork outside", neighbour.wait().code(), is(0));
  tell.step("kill them all: one write on v2, freeze and kill on v1");
  container.group().kill();
  tell.show("is the group empty?", container.group().wait_empty(5000), is(true));
  tell.result("fork() fails with EAGAIN at the limit. Killing one by one loses the race; a group is killed at once.");
}

void freezer(Narrator& tell) {
  tell.step("a member spins; then the group is frozen");
  Limited container(tell, {});
  Child member = container.member(spin);
  member.talk().line();
  container.group().freeze();
  tell.show("is it frozen?", container.group().frozen(), is(true));
  const std::uint64_t before = cpu_ns(container);
  pause_ms(300);
  tell.show("processor time meanwhile, in ms", (cpu_ns(container) - before) / 1000000, is(0));
  tell.step("a SIGTERM for cat, which is frozen too");
  container.payload().signal(SIGTERM);
  tell.show("does it end within 200 ms?", container.payload().ends_within(200), is(false));
  tell.step("thaw");
  container.group().thaw();
  tell.show("is it frozen?", container.group().frozen(), is(false));
  tell.show("does the spinning go on?", eventually([&] { return cpu_ns(container) > before + 1000000; }), is(true));
  tell.result("no signal and no cooperation: the members simply get no more time. That is docker pause.");
}

void devices(Narrator& tell) {
  tell.step("the host's devices, opened by a member of the container's group, and by somebody who is none");
  Limited container(tell, {});
  Child member = container.member([](Talk& chapter) {
    for (const char* path : {"/dev/null", "/dev/kmsg"}) chapter.say(text(open_device(path)));
    return 0;
  });
  tell.show("/dev/null, by a member", member.talk().line(), is("it succeeds"));
  tell.show("/dev/kmsg, by a member", member.talk().line(), contains("EPERM"));
  tell.show("/dev/kmsg, by the chapter", open_device("/dev/kmsg"), succeeds());
  tell.result(
      "both are root and see the same /dev. v1 has a controller with a list, v2 a BPF program that is asked at each open.");
}

void own_root(Narrator& tell) {
  tell.step("a container of this chapter: where does it stand in the tree? The same file, read on both sides");
  Limited container(tell, {});
  const pid_t pid = container.payload().pid();
  const auto look = [&] { return container.names_its_group(pid); };
  const std::string outside = look(), inside = visit(pid, {Kind::user, Kind::cgroup}, look);
  tell.show("cgroup namespace", Sides{namespaces::id_of(0, Kind::cgroup), namespaces::id_of(pid, Kind::cgroup)}, differ());
  tell.show("path with the name?", Sides{outside, inside}, are("yes", "no"));
  tell.step("and what does it see of the machine that its limits do not change?");
  const auto total = [] { return sys::read_file("/proc/meminfo").substr(0, sys::read_file("/proc/meminfo").find('\n')); };
  tell.show("MemTotal: the same?", total() == visit(pid, {Kind::user, Kind::mnt}, total), is(true));
  tell.result("a namespace changes what is seen, a group what can be had. `free` in a container shows the host's memory.");
}

void no_members_inside_v2(Narrator& tell) {
  tell.step("v2: a group that hands controllers to its children, and a process that wants to be its member");
  Limited container(tell, memory_limit(32));
  const std::string group = container.directory("memory");
  Child member(0, [&](Talk& chapter) {
    const auto join = [](const std::string& directory) {
      const Fd file = sys::open(directory + "/cgroup.procs", O_WRONLY);
      return text(Outcome{raw::call(SYS_write, file.get(), "0", 1)});
    };
    chapter.say(join(group));
    chapter.say(join(group + "/payload"));
    return 0;
  });
  tell.show("join the group itself", member.talk().line(), contains("EBUSY"));
  tell.show("join its child", member.talk().line(), is("it succeeds"));
  tell.result(
      "\"no internal processes\": members live in leaves, limits above them. v1 let both compete, and nobody knew the weights.");
}

}  // namespace drydock::chapter::control_groups
