// What root of a user namespace can do, where, and what not.
#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <linux/sched.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <optional>
#include <string>

#include <drydock/kernel/sys.hpp>
#include <drydock/namespaces/kinds.hpp>

#include "experiments.hpp"
#include "experiments/people.hpp"
#include "shared/look.hpp"
#include "shared/payload.hpp"

namespace drydock::chapter::user {

using namespaces::id_of;
using namespaces::Kind;

namespace {

long mount_tmpfs() {
  return raw::call(SYS_mount, "none", "/mnt", "tmpfs", 0, nullptr);
}

long set_name() {
  return raw::call(SYS_sethostname, "mine", 4);
}

// From the least urgent, which everybody may be: whoever started us may have been more urgent than -5.
long become_urgent() {
  raw::call(SYS_setpriority, PRIO_PROCESS, 0, 19);
  return raw::call(SYS_setpriority, PRIO_PROCESS, 0, -5);
}

}  // namespace

void capabilities(Narrator& tell) {
  tell.step("a new user namespace, and nothing else new: every capability, and nothing to use it on");
  const Resident alone;
  tell.show("effective capabilities", alone.run([] { return effective_capabilities(); }), is("all"));
  tell.show("mount a tmpfs on /mnt", alone.call(mount_tmpfs), fails_with(EPERM));
  tell.show("sethostname", alone.call(set_name), fails_with(EPERM));
  tell.step("the same with a mount and a UTS namespace of its own, made by root of the user namespace");
  const Resident owner(CLONE_NEWNS | CLONE_NEWUTS);
  tell.show("effective capabilities", owner.run([] { return effective_capabilities(); }), is("all"));
  tell.show("mount a tmpfs on /mnt", owner.call(mount_tmpfs), succeeds());
  tell.show("sethostname", owner.call(set_name), succeeds());
  tell.step("whose capabilities are they? ioctl_ns(2): the user namespace that owns its UTS namespace");
  const Fd uts = sys::open(namespaces::path_of(owner.pid(), Kind::uts), O_RDONLY);
  const Fd owning(static_cast<int>(raw::call(SYS_ioctl, uts.get(), NS_GET_USERNS)));
  tell.show("is it its own?", sys::fstat(owning).st_ino == id_of(owner.pid(), Kind::user), is(true));
  tell.result("the kernel asks: a capability in which user namespace? Each other namespace belongs to one.");
}

void cannot(Narrator& tell) {
  tell.step("root of a user namespace, with mount, UTS, IPC and network namespaces of its own");
  const Resident root(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET);
  tell.show("sethostname", root.call(set_name), succeeds());
  tell.show("mount a tmpfs", root.call(mount_tmpfs), succeeds());
  tell.show("chroot", root.call([] { return raw::call(SYS_chroot, "/"); }), succeeds());
  tell.step("what belongs to the machine asks for a capability in the first user namespace");
  tell.show("make a device node",
            root.call([] { return raw::call(SYS_mknodat, AT_FDCWD, "/dev/shm/null", S_IFCHR | 0600, 0x103); }),
            fails_with(EPERM));
  tell.show("mount devtmpfs, the host's devices",
            root.call([] { return raw::call(SYS_mount, "none", "/mnt", "devtmpfs", 0, nullptr); }), fails_with(EPERM));
  tell.show("reboot (with a wrong magic number)", root.call([] { return raw::call(SYS_reboot, 0, 0, 0, nullptr); }),
            fails_with(EPERM));
  tell.show("switch on swap", root.call([] { return raw::call(SYS_swapon, "/nonexistent", 0); }), fails_with(EPERM));
  tell.show("become more urgent: nice -5", root.call(become_urgent), fails_with(EACCES));
  tell.show("write /proc/sys/vm/swappiness", root.run([] { return text(write_once("/proc/sys/vm/swappiness", "60")); }),
            contains("EACCES"));
  tell.show("signal process 1 of the host", root.call([] { return raw::call(SYS_kill, 1, 0); }), fails_with(EPERM));
  tell.result("\"root\" is a word of the namespace. For the machine it is the user who made it.");
}

void locked_mounts(Narrator& tell) {
  tell.step("a mount namespace with a read-only tmpfs at /mnt; in it, a user namespace makes a mount namespace of its own");
  Child stage(for_this_user(CLONE_NEWNS), [](Talk& chapter) {
    raw::call(SYS_mount, "none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
    raw::call(SYS_mount, "none", "/mnt", "tmpfs", MS_RDONLY, nullptr);
    chapter.say(text(Outcome{raw::call(SYS_mount, "none", "/mnt", nullptr, MS_REMOUNT | MS_BIND, nullptr)}));
    raw::call(SYS_mount, "none", "/mnt", nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr);
    std::optional<Child> inner;
    Child::start(
        CLONE_NEWUSER | CLONE_NEWNS,
        [](Talk& talk) {
          talk.say(text(Outcome{raw::call(SYS_mount, "none", "/mnt", nullptr, MS_REMOUNT | MS_BIND, nullptr)}));
          talk.say(text(Outcome{raw::call(SYS_umount2, "/mnt", MNT_DETACH)}));
          talk.say(text(Outcome{mount_tmpfs()}));
          talk.say(text(Outcome{raw::call(SYS_umount2, "/mnt", MNT_DETACH)}));
          return 0;
        },
        inner);
    for (int lines = 0; lines < 4; ++lines) chapter.say(inner->talk().line());
    return 0;
  });
  tell.show("remount it writable, outside", stage.talk().line(), is("it succeeds"));
  tell.show("remount it writable, inside", stage.talk().line(), contains("EPERM"));
  tell.show("take it away, inside", stage.talk().line(), contains("EINVAL"));
  tell.show("a mount of its own on top", stage.talk().line(), is("it succeeds"));
  tell.show("take that away", stage.talk().line(), is("it succeeds"));
  tell.result("what came from a more privileged mount namespace is locked: what lies below must not come to light.");
}

void owner(Narrator& tell) {
  tell.step("who made a user namespace has every capability in it, without being in it");
  Child made(CLONE_NEWUSER | CLONE_NEWUTS, [](Talk& chapter) {
    chapter.say("mapped");
    while (!chapter.line().empty()) chapter.say(hostname());
    return 0;
  });
  made.talk().line();
  tell.show("its maker joins and sets the name",
            visit(made.pid(), {Kind::user, Kind::uts}, [] { return text(Outcome{set_name()}); }), is("it succeeds"));
  made.talk().say("name?");
  tell.show("hostname in there", made.talk().line(), is("mine"));
  const Fd file = sys::open(namespaces::path_of(made.pid(), Kind::user), O_RDONLY);
  uid_t uid = 0;
  raw::call(SYS_ioctl, file.get(), NS_GET_OWNER_UID, &uid);
  tell.show("is its owner the chapter's user?", uid == sys::geteuid(), is(true));
  tell.step("and who is in it cannot go back up");
  const Fd host = sys::open(namespaces::path_of(0, Kind::user), O_RDONLY);
  const auto go_up = [&] { return text(Outcome{raw::call(SYS_setns, host.get(), CLONE_NEWUSER)}); };
  tell.show("setns to the outer user namespace", visit(made.pid(), {Kind::user}, go_up), contains("EPERM"));
  tell.show("setns to the one it is in", text(Outcome{raw::call(SYS_setns, host.get(), CLONE_NEWUSER)}), contains("EINVAL"));
  tell.result("capabilities flow down: from a namespace into those that were made in it, and never back.");
}

void without_root(Narrator& tell) {
  const auto kinds = {Kind::uts, Kind::pid, Kind::mnt, Kind::net, Kind::ipc, Kind::cgroup};
  tell.step("an ordinary user asks for each kind of namespace by itself");
  Child alone(0, [&](Talk& chapter) {
    become_ordinary();
    for (const Kind kind : kinds) chapter.say(text(Outcome{raw::call(SYS_unshare, namespaces::info(kind).flag)}));
    return 0;
  });
  for (const Kind kind : kinds) tell.show(std::string(namespaces::info(kind).name), alone.talk().line(), contains("EPERM"));
  tell.step("and for each once more, behind a user namespace");
  Child behind(0, [&](Talk& chapter) {
    become_ordinary();
    raw::call(SYS_unshare, CLONE_NEWUSER);
    for (const Kind kind : kinds) chapter.say(text(Outcome{raw::call(SYS_unshare, namespaces::info(kind).flag)}));
    return 0;
  });
  for (const Kind kind : kinds) tell.show(std::string(namespaces::info(kind).name), behind.talk().line(), is("it succeeds"));
  tell.result("this one kind is for everybody, and it opens all others. That is what containers without root stand on.");
}

namespace {

// Raises the loopback link of the caller's network namespace.
long raise_loopback() {
  const long opened = raw::call(SYS_socket, AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (raw::failed(opened)) return opened;
  const Fd socket(static_cast<int>(opened));
  ifreq request{};
  request.ifr_name[0] = 'l';
  request.ifr_name[1] = 'o';
  request.ifr_flags = IFF_UP;
  return raw::call(SYS_ioctl, socket.get(), SIOCSIFFLAGS, &request);
}

// What chapters 02 to 06 did, one after the other.
int earlier_chapters(Talk& chapter) {
  chapter.say(std::to_string(::geteuid()));
  for (long (*act)() : {set_name, mount_tmpfs, raise_loopback}) chapter.say(text(Outcome{act()}));
  chapter.say(std::to_string(sys::getpid()));
  chapter.say(std::to_string(raw::call(SYS_msgget, IPC_PRIVATE, 0600)));
  return 0;
}

}  // namespace

void all_without_root(Narrator& tell) {
  tell.step("an ordinary user: clone3(CLONE_NEWUSER | NEWUTS | NEWPID | NEWNS | NEWNET | NEWIPC), and the map \"0 own-id 1\"");
  Child user(0, [](Talk& chapter) {
    become_ordinary();
    std::optional<Child> container;
    Child::start(CLONE_NEWUSER | CLONE_NEWUTS | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC, earlier_chapters,
                 container);
    for (int lines = 0; lines < 6; ++lines) chapter.say(container->talk().line());
    return 0;
  });
  const std::string before = hostname();
  tell.show("its uid in there", user.talk().line(), is("0"));
  tell.show("02: sethostname", user.talk().line(), is("it succeeds"));
  tell.show("04: mount a tmpfs on /mnt", user.talk().line(), is("it succeeds"));
  tell.show("05: raise the link lo", user.talk().line(), is("it succeeds"));
  tell.show("03: its process number", "process " + user.talk().line(), is("process 1"));
  tell.show("06: id of its first message queue", user.talk().line(), is("0"));
  tell.show("hostname of the host", hostname(), is(before));
  tell.result(
      "five chapters without root. What is missing: a range of ids, a link to the host's bridge, and the host's control groups.");
}

}  // namespace drydock::chapter::user
