// Bind mounts, detached mounts, and mounts that are in use.
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

// The last mount on `target`; the flags of a mount and those of its file system are two things.
facts::Mount mount_on(const std::string& target) {
  facts::Mount found;
  for (facts::Mount& mount : mounts())
    if (mount.target == target) found = std::move(mount);
  return found;
}

std::string access_of(const std::string& options) {
  return options.substr(0, 2);  // "rw" or "ro" comes first
}

// fsopen, fsconfig, fsmount: a file system in memory that is mounted nowhere.
Fd detached_tmpfs() {
  const Fd context(static_cast<int>(raw::call(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC)));
  raw::call(SYS_fsconfig, context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0);
  return Fd(static_cast<int>(raw::call(SYS_fsmount, context.get(), FSMOUNT_CLOEXEC, 0)));
}

Outcome make_file_at(const Fd& directory, const char* name) {
  const Fd made(static_cast<int>(raw::call(SYS_openat, directory.get(), name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644)));
  return {made ? 0 : made.get()};
}

}  // namespace

void read_only_bind(Narrator& tell) {
  tell.step("mount(MS_BIND|MS_RDONLY): one directory in two places, the second to be read only");
  Child stage = on_stage([](Talk& chapter) {
    for (const char* name : {"/mnt/source", "/mnt/bound"}) sys::mkdir(name, 0755);
    make_file("/mnt/source/note", "one");
    chapter.say(text(bind_mount("/mnt/source", "/mnt/bound", MS_RDONLY)));
    chapter.say(text(identity("/mnt/source") == identity("/mnt/bound")));
    chapter.say(access_of(mount_on("/mnt/bound").options));
    chapter.say(write_to("/mnt/bound/note", "two").failed() ? "no" : "yes");
    chapter.say(text(bind_mount("/mnt/bound", "/mnt/bound", MS_REMOUNT | MS_RDONLY)));
    chapter.say(text(write_to("/mnt/bound/note", "six")));
    chapter.say(write_to("/mnt/source/note", "ten").failed() ? "no" : "yes");
    chapter.say(content("/mnt/bound/note"));
    chapter.say(access_of(mount_on("/mnt/bound").options) + ", file system " + access_of(mount_on("/mnt/bound").super_options));
    return 0;
  });
  const auto line = [&] { return stage.talk().line(); };
  tell.show("mount", line(), is("it succeeds"));
  tell.show("same device and inode?", line(), is("yes"));
  tell.show("its flag in mountinfo", line(), is("rw"));
  tell.show("may a file there be written?", line(), is("yes"));
  tell.say("mount(2): with MS_BIND all other flags are ignored. No error says so");
  tell.step("a second call: mount(MS_REMOUNT|MS_BIND|MS_RDONLY)");
  tell.show("remount", line(), is("it succeeds"));
  tell.show("a write there", line(), contains("EROFS"));
  tell.show("may the source be written?", line(), is("yes"));
  tell.show("what the read-only side reads", line(), is("ten"));
  tell.show("mount and file system", line(), is("ro, file system rw"));
  tell.result(
      "read-only belongs to a mount, not to the files. Between the two calls it is writable: Drydock sets the flag while the "
      "mount is detached.");
}

void detached(Narrator& tell) {
  tell.step("fsopen, fsconfig, fsmount: a file system is made and mounted nowhere; a file is made in it by descriptor");
  Child stage = on_stage([](Talk& chapter) {
    sys::mkdir("/mnt/here", 0755);
    const std::size_t before = mounts().size();
    Fd mount = detached_tmpfs();
    chapter.say(std::to_string(mounts().size() - before));
    chapter.say(text(make_file_at(mount, "note")));
    chapter.say(text(Outcome{raw::call(SYS_move_mount, mount.get(), "", AT_FDCWD, "/mnt/here", MOVE_MOUNT_F_EMPTY_PATH)}));
    chapter.say(std::to_string(mounts().size() - before));
    chapter.say(sys::list_directory("/mnt/here").front());
    mount.reset();
    chapter.say(text(sys::exists("/mnt/here/note")));
    Fd lost = detached_tmpfs();
    make_file_at(lost, "note");
    lost.reset();
    chapter.say(std::to_string(mounts().size() - before));
    return 0;
  });
  const auto line = [&] { return stage.talk().line(); };
  tell.show("lines more in mountinfo", line(), is("0"));
  tell.show("openat(<mount>, \"note\", O_CREAT)", line(), is("it succeeds"));
  tell.step("move_mount: now it has a place");
  tell.show("move_mount", line(), is("it succeeds"));
  tell.show("lines more in mountinfo", line(), is("1"));
  tell.show("what is in the directory", line(), is("note"));
  tell.show("still there, descriptor closed?", line(), is("yes"));
  tell.step("another one is never moved anywhere; its descriptor is closed");
  tell.show("lines more in mountinfo", line(), is("1"));
  tell.result("nobody saw it half made. ch04-mnt --plan: every mount of the container is made so.");
}

void busy(Narrator& tell) {
  tell.step("a file system in memory with an open file; umount(2)");
  Child stage = on_stage([](Talk& chapter) {
    sys::mkdir("/mnt/disk", 0755);
    mount_tmpfs("/mnt/disk");
    make_file("/mnt/disk/note", "text");
    const Fd open_file = sys::open("/mnt/disk/note", O_RDONLY);
    chapter.say(text(unmount("/mnt/disk")));
    chapter.say(text(unmount("/mnt/disk", MNT_DETACH)));
    chapter.say(text(is_mounted("/mnt/disk")));
    chapter.say(sys::read_all(open_file));
    return 0;
  });
  tell.show("umount2", stage.talk().line(), contains("EBUSY"));
  tell.show("umount2 with MNT_DETACH", stage.talk().line(), is("it succeeds"));
  tell.show("is it in mountinfo?", stage.talk().line(), is("no"));
  tell.show("what the open file holds", stage.talk().line(), is("text"));
  tell.result("detached means: no name leads there any more. The file system lives until its last user has gone.");
}

void hidden(Narrator& tell) {
  tell.step("a directory with a file; a file system is mounted on it, and taken away again");
  Child stage = on_stage([](Talk& chapter) {
    sys::mkdir("/mnt/home", 0755);
    make_file("/mnt/home/below", "x");
    const Fd before = sys::open("/mnt/home", O_PATH | O_DIRECTORY);
    mount_tmpfs("/mnt/home");
    make_file("/mnt/home/above", "x");
    chapter.say(sys::list_directory("/mnt/home").front());
    chapter.say(text(!raw::failed(raw::call(SYS_faccessat, before.get(), "below", 0))));
    unmount("/mnt/home");
    chapter.say(sys::list_directory("/mnt/home").front());
    return 0;
  });
  tell.show("what is in it, mounted", stage.talk().line(), is("above"));
  tell.show("below, by an older descriptor?", stage.talk().line(), is("yes"));
  tell.show("what is in it, unmounted", stage.talk().line(), is("below"));
  tell.result("a mount covers; it removes nothing. This is how masks work, and how they are undone.");
}

}  // namespace drydock::chapter::mnt
