// POSIX calls its objects queue, semaphore and shared memory too. Only the first of them is the IPC namespace's.
#include <fcntl.h>
#include <linux/sched.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <string>

#include <drydock/kernel/raw.hpp>
#include <drydock/kernel/sys.hpp>
#include <drydock/namespaces/kinds.hpp>

#include "experiments.hpp"
#include "objects.hpp"
#include "shared/unix_socket.hpp"

namespace drydock::chapter::ipc {

namespace {

Outcome mount_on(const char* target, const char* type) {
  return {raw::call(SYS_mount, type, target, type, 0, nullptr)};
}

std::string names_in(const char* directory) {
  std::string all;
  for (const std::string& name : sys::list_directory(directory)) all += (all.empty() ? "" : " ") + name;
  return all.empty() ? "none" : all;
}

void leave_mounts_of_host() {
  raw::call(SYS_mount, "none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
}

// shm_open and sem_open are functions of the C library: they open files below /dev/shm.
bool has_memory() {
  const Fd found(::shm_open("/drydock", O_RDWR | O_CLOEXEC, 0));
  return static_cast<bool>(found);
}
bool has_semaphore() {
  sem_t* found = ::sem_open("/drydock", 0);
  return found != SEM_FAILED && ::sem_close(found) == 0;
}

std::string seen_by(const char* listener) {
  return std::string(has_memory() ? "memory " : "") + (has_semaphore() ? "semaphore " : "") +
         (connect_to(listener).failed() ? "" : "socket ") + (open_posix_queue("drydock", 0).failed() ? "" : "queue ");
}

// What a child in other namespaces finds; `act` runs there first.
std::string seen_in(std::uint64_t flags, void (*act)()) {
  Child child(flags, [=](Talk& talk) {
    act();
    const std::string all = seen_by("@drydock");
    talk.say(all.empty() ? "nothing" : all.substr(0, all.size() - 1));
    return 0;
  });
  return child.talk().line();
}

void fresh_shm() {
  leave_mounts_of_host();
  mount_on("/dev/shm", "tmpfs");
}

}  // namespace

void posix_queues(Narrator& tell) {
  tell.step("mq_open(\"/orders\"), and the file system that shows it");
  Child host(for_this_user(CLONE_NEWIPC | CLONE_NEWNS), [](Talk& chapter) {
    leave_mounts_of_host();
    chapter.say(text(open_posix_queue("orders", O_CREAT)));
    chapter.say(text(mount_on("/mnt", "mqueue")));
    chapter.say(names_in("/mnt"));
    Child inside(CLONE_NEWIPC | CLONE_NEWNS, [](Talk& talk) {
      leave_mounts_of_host();
      talk.say(text(open_posix_queue("orders", 0)));
      talk.say(names_in("/mnt"));
      talk.say(text(mount_on("/mnt", "mqueue")));
      talk.say(names_in("/mnt"));
      talk.say(text(open_posix_queue("letters", O_CREAT)));
      talk.say(names_in("/mnt"));
      return 0;
    });
    for (int lines = 0; lines < 6; ++lines) chapter.say(inside.talk().line());
    chapter.say(names_in("/mnt"));
    return 0;
  });
  const auto line = [&] { return host.talk().line(); };
  tell.show("mq_open with O_CREAT", line(), is("it succeeds"));
  tell.show("mount of type mqueue", line(), is("it succeeds"));
  tell.show("files in it", line(), is("orders"));
  tell.step("a process in a new IPC namespace, with the same mounts");
  tell.show("mq_open(\"/orders\")", line(), contains("ENOENT"));
  tell.show("files in the mount it inherits", line(), is("orders"));
  tell.step("it mounts one of its own over it, and makes the queue \"letters\"");
  tell.show("mount of type mqueue", line(), is("it succeeds"));
  tell.show("files in it", line(), is("none"));
  tell.show("mq_open with O_CREAT", line(), is("it succeeds"));
  tell.show("files in it, afterwards", line(), is("letters"));
  tell.show("files in the host's", line(), is("orders"));
  tell.result(
      "the call asks the caller's namespace, a mount remembers whose it was. A new namespace needs a new mount: mount.mqueue.");
}

void not_isolated(Narrator& tell) {
  tell.step(
      "shm_open, sem_open, an abstract Unix socket and mq_open, all called drydock; /dev/shm is a file system of the "
      "experiment's own");
  Child host(for_this_user(CLONE_NEWIPC | CLONE_NEWNS | CLONE_NEWNET), [](Talk& chapter) {
    fresh_shm();
    const Fd memory(::shm_open("/drydock", O_CREAT | O_RDWR | O_CLOEXEC, 0600));
    ::sem_close(::sem_open("/drydock", O_CREAT, 0600, 1));
    open_posix_queue("drydock", O_CREAT);
    Fd listener;
    listen_at("@drydock", listener);
    chapter.say(names_in("/dev/shm"));
    chapter.say(seen_in(0, [] {}));
    chapter.say(seen_in(CLONE_NEWIPC, [] {}));
    chapter.say(seen_in(CLONE_NEWNS, fresh_shm));
    chapter.say(seen_in(CLONE_NEWNET, [] {}));
    chapter.say(seen_in(CLONE_NEWIPC | CLONE_NEWNS | CLONE_NEWNET, fresh_shm));
    return 0;
  });
  const auto line = [&] { return host.talk().line(); };
  tell.show("files in /dev/shm", line(), is("drydock sem.drydock"));
  tell.step("a child of fork() finds all four; then children in one new namespace each");
  tell.show("fork", line(), is("memory semaphore socket queue"));
  tell.show("new IPC namespace", line(), is("memory semaphore socket"));
  tell.show("new mounts, new /dev/shm", line(), is("socket queue"));
  tell.show("new network namespace", line(), is("memory semaphore queue"));
  tell.show("all three", line(), is("nothing"));
  tell.result("one name in the books, three owners in the kernel: only the POSIX queue follows the IPC namespace.");
}

}  // namespace drydock::chapter::ipc
