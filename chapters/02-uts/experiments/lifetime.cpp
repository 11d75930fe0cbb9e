// Who keeps a namespace alive: a process in it, a descriptor, a bind mount.
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>

#include <string>

#include <drydock/kernel/raw.hpp>
#include <drydock/kernel/sys.hpp>
#include <drydock/namespaces/kinds.hpp>

#include "experiments.hpp"
#include "shared/child.hpp"
#include "shared/look.hpp"

namespace drydock::chapter::uts {

using namespaces::id_of;
using namespaces::Kind;

namespace {

// A child in new namespaces that is called "kept" and waits.
Child namesake(std::uint64_t flags) {
  Child child(for_this_user(flags), [](Talk& chapter) {
    raw::call(SYS_sethostname, "kept", 4);
    chapter.say("ready");
    chapter.line();
    return 0;
  });
  child.talk().line();
  return child;
}

void end(Child& child) {
  child.talk().close();
  child.wait();
}

}  // namespace

void descriptor(Narrator& tell) {
  tell.step("a child makes a UTS namespace, sets its name to \"kept\" and ends; the chapter has opened /proc/PID/ns/uts before");
  Child child = namesake(CLONE_NEWUTS);
  const Held held(child.pid(), Kind::uts);
  const pid_t pid = child.pid();
  end(child);
  tell.show("is the child still there?", is_alive(pid), is(false));
  tell.step("a new process joins by the descriptor");
  tell.show("hostname there", held.visit(hostname), is("kept"));
}

void pin(Narrator& tell) {
  tell.step("in a mount namespace of its own, so that nothing can stay behind: a child makes a UTS namespace");
  Child stage(for_this_user(CLONE_NEWNS), [](Talk& chapter) {
    raw::call(SYS_mount, "none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
    raw::call(SYS_mount, "tmpfs", "/mnt", "tmpfs", 0, nullptr);
    sys::open("/mnt/uts", O_WRONLY | O_CREAT, 0444);
    const std::uint64_t ours = id_of(0, Kind::uts);
    std::optional<Child> child;
    Child::start(
        CLONE_NEWUTS,
        [](Talk& stage_talk) {
          raw::call(SYS_sethostname, "kept", 4);
          stage_talk.say("ready");
          stage_talk.line();
          return 0;
        },
        child);
    child->talk().line();
    const std::uint64_t made = id_of(child->pid(), Kind::uts);
    chapter.say(text(Outcome{
        raw::call(SYS_mount, namespaces::path_of(child->pid(), Kind::uts).c_str(), "/mnt/uts", nullptr, MS_BIND, nullptr)}));
    end(*child);
    const Held pinned(sys::open("/mnt/uts", O_RDONLY), Kind::uts);
    chapter.say(sys::fstat(pinned.file()).st_ino == made ? "equal" : "not equal");
    chapter.say(pinned.visit(hostname));
    chapter.say(made == ours ? "the same" : "another");
    return 0;
  });
  tell.show("mount --bind /proc/PID/ns/uts /mnt/uts", stage.talk().line(), is("it succeeds"));
  tell.step("the child ends: no process is left in that namespace");
  tell.show("inode of the pinned file, id of the dead", stage.talk().line(), is("equal"));
  tell.show("hostname of one that joins by the file", stage.talk().line(), is("kept"));
  tell.show("compared with the namespace it began in", stage.talk().line(), is("another"));
  tell.say("the notes pin uts:[4026531838]: that is the machine's first one, which never ends, pinned or not");
}

void dead_init(Narrator& tell) {
  tell.step("a child with a UTS and a pid namespace of its own ends; descriptors of both stay open");
  Child child = namesake(CLONE_NEWUTS | CLONE_NEWPID);
  const Held uts(child.pid(), Kind::uts), pid(child.pid(), Kind::pid);
  end(child);
  tell.step("join each, and fork there");
  for (const Held* held : {&uts, &pid}) {
    Child joins(0, [&](Talk& chapter) {
      chapter.say(text(Outcome{held->enter()}));
      std::optional<Child> made;
      chapter.say(text(Outcome{Child::start(
          0, [](Talk&) { return 0; }, made)}));
      return 0;
    });
    const bool is_pid = held == &pid;
    tell.show(is_pid ? "setns to the pid namespace" : "setns to the UTS namespace", joins.talk().line(), is("it succeeds"));
    tell.show("a fork there", joins.talk().line(), is_pid ? contains("ENOMEM") : contains("it succeeds"));
  }
  tell.result(
      "a pid namespace without its process 1 takes nobody in, and says so with an errno that has nothing to do with memory.");
}

void last_holder(Narrator& tell) {
  tell.step("in a user namespace of its own, where the count of UTS namespaces is limited to one");
  Child stage(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID, [](Talk& chapter) {
    raw::call(SYS_mount, "none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
    raw::call(SYS_mount, "proc", "/proc", "proc", 0, nullptr);
    sys::write_file("/proc/sys/user/max_uts_namespaces", "1");
    const auto try_one = [&] {
      std::optional<Child> made;
      return text(Outcome{Child::start(
          CLONE_NEWUTS, [](Talk&) { return 0; }, made)});
    };
    std::optional<Child> child;
    Child::start(
        CLONE_NEWUTS, [](Talk& talk) { return talk.line().empty() ? 0 : 1; }, child);
    Fd file = sys::open(namespaces::path_of(child->pid(), Kind::uts), O_RDONLY);
    chapter.say(try_one());
    end(*child);
    chapter.say(try_one());
    file.reset();
    std::string last;  // the kernel frees it a moment later
    eventually([&] { return (last = try_one()) == "it succeeds"; });
    chapter.say(last);
    return 0;
  });
  tell.show("a second one while a process is in it", stage.talk().line(), contains("ENOSPC"));
  tell.show("its process ended, a descriptor is open", stage.talk().line(), contains("ENOSPC"));
  tell.show("the descriptor is closed", stage.talk().line(), is("it succeeds"));
  tell.result("a namespace goes when the last process, descriptor and mount that hold it are gone: the kernel counts.");
}

}  // namespace drydock::chapter::uts
