// chroot moves the place where names begin; pivot_root takes the old root out of the list.
#include <fcntl.h>
#include <linux/sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>

#include <string>

#include <drydock/kernel/raw.hpp>
#include <drydock/kernel/sys.hpp>

#include "experiments.hpp"
#include "stage.hpp"

namespace drydock::chapter::mnt {

namespace {

Outcome pivot(const std::string& new_root, const std::string& put_old) {
  return {raw::call(SYS_pivot_root, new_root.c_str(), put_old.c_str())};
}

// chroot(2): a working directory outside the root is never stopped by the root on its way up.
void flee() {
  sys::mkdir("/x", 0755);
  const Fd here = sys::open("/", O_RDONLY | O_DIRECTORY);
  raw::call(SYS_chroot, "/x");
  raw::call(SYS_fchdir, here.get());
  for (int up = 0; up < 64; ++up) raw::call(SYS_chdir, "..");
  raw::call(SYS_chroot, ".");
}

void enter_by_chroot() {
  raw::call(SYS_chroot, "/mnt/jail");
  raw::call(SYS_chdir, "/");
}

void enter_by_pivot() {
  bind_mount("/mnt/jail", "/mnt/jail");
  raw::call(SYS_chdir, "/mnt/jail");
  pivot(".", ".");
  unmount(".", MNT_DETACH);
  raw::call(SYS_chdir, "/");
}

std::string finding(const std::string& token, const std::string& seen) {
  return seen == token ? "the token of the host" : seen;
}

}  // namespace

void escape(Narrator& tell) {
  tell.step("a token lies outside of a directory; a process calls chroot into that directory");
  Child stage = on_stage([](Talk& chapter) {
    const std::string token = sys::random_hex(16);
    make_file("/mnt/token", token);
    sys::mkdir("/mnt/jail", 0755);
    for (const auto& enter : {enter_by_chroot, enter_by_pivot}) {
      Child jailed(CLONE_NEWNS, [&](Talk& talk) {
        enter();
        talk.say(finding(token, content("/mnt/token")));
        flee();
        talk.say(finding(token, content("/mnt/token")));
        return 0;
      });
      chapter.say(jailed.talk().line());
      chapter.say(jailed.talk().line());
      jailed.wait();
      sys::rmdir("/mnt/jail/x");
    }
    return 0;
  });
  tell.show("/mnt/token, read in the jail", stage.talk().line(), is("ENOENT"));
  tell.step("it keeps a descriptor of its /, calls chroot once more, and goes up 64 times");
  tell.show("/mnt/token, read now", stage.talk().line(), is("the token of the host"));
  tell.step("a second process: the directory becomes a mount, then pivot_root, then umount2(MNT_DETACH) of the old root");
  tell.show("/mnt/token, read in there", stage.talk().line(), is("ENOENT"));
  tell.step("the same escape");
  tell.show("/mnt/token, read now", stage.talk().line(), is("ENOENT"));
  tell.result(
      "chroot leaves the old root where it was, and CAP_SYS_CHROOT finds it. After pivot_root and umount there is nothing to "
      "find.");
}

void pivot_refuses(Narrator& tell) {
  tell.step("pivot_root(2) onto five candidates, each in a mount namespace of its own");
  Child stage = on_stage([](Talk& chapter) {
    for (const char* name : {"/mnt/plain", "/mnt/new"}) sys::mkdir(name, 0755);
    mount_tmpfs("/mnt/new");
    sys::mkdir("/mnt/new/old", 0755);
    const auto attempt = [&](std::uint64_t propagation, const char* new_root, const char* put_old) {
      Child one(CLONE_NEWNS, [&](Talk& talk) {
        set_propagation("/mnt", propagation);
        talk.say(text(pivot(new_root, put_old)));
        return 0;
      });
      chapter.say(one.talk().line());
    };
    attempt(MS_PRIVATE, "/mnt/plain", "/mnt/plain");
    attempt(MS_SHARED, "/mnt/new", "/mnt/new/old");
    attempt(MS_PRIVATE, "/mnt/new", "/mnt/plain");
    attempt(MS_PRIVATE, "/mnt/new", "/");
    attempt(MS_PRIVATE, "/mnt/new", "/mnt/new/old");
    return 0;
  });
  tell.show("a directory that is no mount", stage.talk().line(), contains("EINVAL"));
  tell.show("a mount whose parent is shared", stage.talk().line(), contains("EINVAL"));
  tell.show("the old root not below the new", stage.talk().line(), contains("EINVAL"));
  tell.show("the old root left where it is", stage.talk().line(), contains("EBUSY"));
  tell.show("a mount, private, the old one below", stage.talk().line(), is("it succeeds"));
  tell.result(
      "one EINVAL for three mistakes. An error of Drydock names all of them: bind the directory on itself, make / private "
      "first.");
}

void old_root(Narrator& tell) {
  tell.step("pivot_root(\"/mnt/new\", \"/mnt/new/old\"), and nothing more");
  Child stage = on_stage([](Talk& chapter) {
    const std::string token = sys::random_hex(16);
    make_file("/mnt/token", token);
    sys::mkdir("/mnt/new", 0755);
    mount_tmpfs("/mnt/new");
    sys::mkdir("/mnt/new/old", 0755);
    const Fd leaked = sys::open("/mnt", O_RDONLY | O_DIRECTORY);
    pivot("/mnt/new", "/mnt/new/old");
    raw::call(SYS_chdir, "/");
    chapter.say(finding(token, content("/old/mnt/token")));
    chapter.say(text(unmount("/old")));
    chapter.say(text(unmount("/old", MNT_DETACH)));
    chapter.say(finding(token, content("/old/mnt/token")));
    chapter.say(finding(token, sys::read_all(sys::openat(leaked, "token", O_RDONLY))));
    return 0;
  });
  tell.show("/old/mnt/token", stage.talk().line(), is("the token of the host"));
  tell.step("umount2(\"/old\"), then the same with MNT_DETACH");
  tell.show("umount2", stage.talk().line(), contains("EBUSY"));
  tell.show("umount2 with MNT_DETACH", stage.talk().line(), is("it succeeds"));
  tell.show("/old/mnt/token", stage.talk().line(), is("ENOENT"));
  tell.step("a descriptor of /mnt was opened before all this, and forgotten");
  tell.show("openat(<descriptor>, \"token\")", stage.talk().line(), is("the token of the host"));
  tell.result("three ways back: the name, the mount, the descriptor. All have to go (CVE-2024-21626 was a descriptor).");
}

}  // namespace drydock::chapter::mnt
