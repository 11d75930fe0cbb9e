// A new mount namespace begins as a copy of the list of mounts; the files behind it stay the same.
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>

#include <algorithm>
#include <string>

#include <drydock/facts/parse.hpp>
#include <drydock/kernel/raw.hpp>
#include <drydock/kernel/sys.hpp>
#include <drydock/namespaces/kinds.hpp>

#include "experiments.hpp"
#include "shared/look.hpp"
#include "shared/payload.hpp"
#include "stage.hpp"

namespace drydock::chapter::mnt {

using namespaces::id_of;
using namespaces::Kind;

namespace {

About count_of(std::size_t mounts) {
  return {static_cast<double>(mounts), "mounts"};
}

std::string list_of(const std::string& directory) {
  std::string all;
  for (const std::string& name : sys::list_directory(directory)) all += (all.empty() ? "" : " ") + name;
  return all;
}

std::string type_of_root(const std::vector<facts::Mount>& all) {
  const auto found = std::find_if(all.begin(), all.end(), [](const facts::Mount& mount) { return mount.target == "/"; });
  return found == all.end() ? "none" : found->type;
}

// The kernel tells older from younger by a number, and since Linux 6.18 each processor gives out numbers of its own: only those
// of one processor are in order.
void stay_on_this_cpu() {
  unsigned cpu = 0;
  raw::call(SYS_getcpu, &cpu, nullptr, nullptr);
  cpu_set_t only;
  CPU_ZERO(&only);
  CPU_SET(cpu, &only);
  raw::call(SYS_sched_setaffinity, 0, sizeof only, &only);
}

std::vector<facts::Mount> mounts_of(pid_t pid) {
  return facts::parse::mountinfo(sys::read_file("/proc/" + std::to_string(pid) + "/mountinfo"));
}

}  // namespace

void copy(Narrator& tell) {
  tell.step("clone3(CLONE_NEWNS), and nothing else: the child looks around");
  const auto root = identity("/");
  const std::size_t before = mounts().size();
  Child child(for_this_user(CLONE_NEWNS), [=](Talk& chapter) {
    chapter.say(std::to_string(mounts().size()));
    chapter.say(identity("/") == root ? "yes" : "no");
    set_propagation("/", MS_REC | MS_PRIVATE);
    chapter.line();
    chapter.say(text(mount_tmpfs("/mnt")));
    chapter.say(std::to_string(mounts().size()));
    chapter.line();
    return 0;
  });
  const auto number = [&] { return std::stoul(child.talk().line()); };
  const std::size_t copied = number();
  tell.show("mnt namespace", Sides{id_of(0, Kind::mnt), id_of(child.pid(), Kind::mnt)}, differ());
  tell.show("lines of mountinfo", Sides{count_of(before), count_of(copied)}, same());
  tell.show("is its / the same directory?", child.talk().line(), is("yes"));
  tell.step("the child mounts an empty file system on /mnt");
  child.talk().say("go on");
  tell.show("mount of a tmpfs", child.talk().line(), is("it succeeds"));
  tell.show("lines more inside", number() - copied, is(1));
  tell.show("lines more on the host", mounts().size() - before, is(0));
  tell.result("nobody is put into a directory. The child has a copy of the list, and from now on each side keeps its own.");
}

void same_files(Narrator& tell) {
  tell.step("a file system in memory, then a second mount namespace: what is copied is the list, not the files");
  Child stage = on_stage([](Talk& chapter) {
    make_file("/mnt/note", "outside");
    Child other(CLONE_NEWNS, [](Talk& talk) {
      talk.say(content("/mnt/note"));
      make_file("/mnt/note", "inside");
      unmount("/mnt", MNT_DETACH);
      talk.say(text(is_mounted("/mnt")));
      return 0;
    });
    chapter.say(other.talk().line());
    chapter.say(other.talk().line());
    other.wait();
    chapter.say(content("/mnt/note"));
    chapter.say(text(is_mounted("/mnt")));
    return 0;
  });
  tell.show("the second one reads", stage.talk().line(), is("outside"));
  tell.step("it writes to the file, and unmounts /mnt");
  tell.show("is /mnt mounted in the second?", stage.talk().line(), is("no"));
  tell.show("the first one reads", stage.talk().line(), is("inside"));
  tell.show("is /mnt mounted in the first?", stage.talk().line(), is("yes"));
  tell.result("two lists, one file system: until somebody mounts something else, both sides write to the same files.");
}

void chroot_list(Narrator& tell) {
  tell.step("two processes: one calls chroot(\"/mnt\"), the other is in a mount namespace of its own");
  Child stage = on_stage([](Talk& chapter) {
    sys::mkdir("/mnt/in", 0755);
    Child jailed(0, agent), apart(CLONE_NEWNS, agent);
    ask(jailed, "chroot /mnt");
    ask(apart, "sees /mnt");
    chapter.say(text(id_of(jailed.pid(), Kind::mnt) == id_of(0, Kind::mnt)));
    chapter.say(text(id_of(apart.pid(), Kind::mnt) == id_of(0, Kind::mnt)));
    chapter.say(std::to_string(mounts_of(jailed.pid()).size()));
    chapter.say(std::to_string(mounts().size() - mounts_of(apart.pid()).size()));
    ask(apart, "mount /mnt/in");
    chapter.say(text(is_mounted("/mnt/in")));
    ask(jailed, "mount /in");
    chapter.say(text(is_mounted("/mnt/in")));
    return 0;
  });
  const auto line = [&] { return stage.talk().line(); };
  tell.show("after chroot: the same namespace?", line(), is("yes"));
  tell.show("after clone3: the same namespace?", line(), is("no"));
  tell.show("lines in the list of the jailed", line(), is("1"));
  tell.show("lines fewer in the other's list", line(), is("0"));
  tell.step("each mounts a file system on the directory in; who looks for it is neither of them");
  tell.show("the other's mount is seen", line(), is("no"));
  tell.show("the mount of the jailed is seen", line(), is("yes"));
  tell.result("chroot only cuts what is printed: the lines below the new root. A mount namespace is a list of its own.");
}

void from_outside(Narrator& tell) {
  tell.step("the container of this chapter, seen by a process that has not joined it");
  Payload payload(tell, sketch_of(4, request_of_this_user()));
  const std::string root = "/proc/" + std::to_string(payload.pid()) + "/root";
  tell.show("names in its /", list_of(root), is("bin dev lib lib64 proc sbin sys usr"));
  tell.show("what its / is", type_of_root(mounts_of(payload.pid())), is("tmpfs"));
  tell.step("a process joins it, as nsenter --mount does, and mounts something there");
  const auto joined = [] {
    sys::mkdir("/new", 0755);
    mount_tmpfs("/new");
    return list_of("/") + (is_mounted("/new") ? ", mounted" : "");
  };
  tell.show("names in /, says the one that joined", visit(payload.pid(), {Kind::user, Kind::mnt, Kind::pid}, joined),
            is("bin dev lib lib64 new proc sbin sys usr, mounted"));
  const auto has_new = [](const std::vector<facts::Mount>& all) {
    return std::any_of(all.begin(), all.end(), [](const facts::Mount& mount) { return mount.target == "/new"; });
  };
  tell.show("is /new mounted?", Sides{has_new(mounts()), has_new(mounts_of(payload.pid()))}, are(false, true));
  tell.result(
      "/proc/PID/mountinfo and /proc/PID/root tell it all without joining. The notes start a container here and never look.");
}

void pin_itself(Narrator& tell) {
  tell.step("a bind mount of /proc/PID/ns/mnt: of the namespace in which it is made, then of another one");
  Child machine(for_this_user(0), [](Talk& chapter) {
    stay_on_this_cpu();
    Child stage = on_stage([](Talk& talk) {
      make_file("/mnt/pin", "");
      talk.say(text(bind_mount("/proc/self/ns/mnt", "/mnt/pin")));
      Child other(CLONE_NEWNS, agent);
      ask(other, "sees /mnt");
      talk.say(text(bind_mount(namespaces::path_of(other.pid(), Kind::mnt), "/mnt/pin")));
      return 0;
    });
    for (int lines = 0; lines < 2; ++lines) chapter.say(stage.talk().line());
    return 0;
  });
  tell.show("of its own", machine.talk().line(), contains("EINVAL"));
  tell.show("of a younger one", machine.talk().line(), is("it succeeds"));
  tell.result(
      "a mount namespace that holds itself would never be freed: the kernel allows pins from older to younger ones only.");
}

}  // namespace drydock::chapter::mnt
