// After fork: what both still have together, and what the child does not get.
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <string>

#include <drydock/kernel/raw.hpp>
#include <drydock/kernel/sys.hpp>

#include "experiments.hpp"
#include "experiments/region.hpp"
#include "shared/child.hpp"
#include "shared/look.hpp"

namespace drydock::chapter::fork_clone {

namespace {

long offset(const Fd& file) {
  return raw::call(SYS_lseek, file.get(), 0, SEEK_CUR);
}

bool is_nonblocking(int fd) {
  return (raw::call(SYS_fcntl, fd, F_GETFL) & O_NONBLOCK) != 0;
}

struct flock whole_file(short type) {
  struct flock lock {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  return lock;
}

bool is_pending(int signal) {
  sigset_t pending;
  sigemptyset(&pending);
  ::sigpending(&pending);
  return sigismember(&pending, signal) == 1;
}

void block(int signal) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signal);
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
}

void burn_ms(std::uint64_t milliseconds) {
  rusage usage{};
  do raw::call(SYS_getrusage, RUSAGE_SELF, &usage);
  while (static_cast<std::uint64_t>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000 +
             static_cast<std::uint64_t>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000 <
         milliseconds);
}

std::uint64_t cpu_us() {
  rusage usage{};
  raw::call(SYS_getrusage, RUSAGE_SELF, &usage);
  return static_cast<std::uint64_t>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1'000'000 +
         static_cast<std::uint64_t>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

}  // namespace

void still_shared(Narrator& tell) {
  tell.step("before fork: an open file, a pipe, a page of MAP_SHARED memory, an ordinary variable");
  const Fd file = sys::open("/proc/self/exe", O_RDONLY);
  auto [read_end, write_end] = pipe_pair();
  Region shared(1, Region::Sharing::shared), own(1);
  shared.number() = 1;
  own.number() = 1;
  tell.step("the child reads 100 bytes, sets O_NONBLOCK on the pipe, and stores 42 in both memories");
  Child child(0, [&](Talk&) {
    char bytes[100];
    raw::call(SYS_read, file.get(), bytes, sizeof bytes);
    raw::call(SYS_fcntl, read_end.get(), F_SETFL, O_NONBLOCK);
    shared.number() = 42;
    own.number() = 42;
    return 0;
  });
  child.wait();
  tell.show("offset of the parent's descriptor", offset(file), is(100));
  tell.show("is the parent's pipe O_NONBLOCK now?", is_nonblocking(read_end.get()), is(true));
  tell.show("MAP_SHARED memory, in the parent", int{shared.number()}, is(42));
  tell.show("ordinary memory, in the parent", int{own.number()}, is(1));
  tell.result("descriptors are copied, but they point to the same open files: offset and flags are common property.");
}

void not_inherited(Narrator& tell) {
  tell.step("the parent blocks a signal and has one pending, sets an alarm, locks a file, and uses the processor");
  Child stage(0, [](Talk& chapter) {
    const Fd file = sys::memfd_create("locked", 0);
    block(SIGUSR1);
    raw::call(SYS_kill, sys::getpid(), SIGUSR1);
    ::alarm(3600);
    struct flock lock = whole_file(F_WRLCK);
    raw::call(SYS_fcntl, file.get(), F_SETLK, &lock);
    burn_ms(100);
    const pid_t parent = sys::getpid();
    const std::uint64_t used = cpu_us();
    const auto report = [&](Talk& talk) {
      const bool less = cpu_us() < used;
      struct flock asked = whole_file(F_WRLCK);
      raw::call(SYS_fcntl, file.get(), F_GETLK, &asked);
      talk.say(std::to_string(::getppid() == parent ? 1 : 0));
      talk.say(is_pending(SIGUSR1) ? "pending" : "none");
      talk.say(::alarm(0) > 0 ? "set" : "none");
      talk.say(asked.l_type == F_UNLCK ? "its own or free" : "held by another");
      talk.say(less ? "less than the parent had used" : "all that it had used");
    };
    Child child(0, [&](Talk& talk) {
      report(talk);
      return 0;
    });
    for (int line = 0; line < 5; ++line) chapter.say(child.talk().line());
    report(chapter);
    return 0;
  });
  std::vector<std::string> child, parent;
  for (int line = 0; line < 5; ++line) child.push_back(stage.talk().line());
  for (int line = 0; line < 5; ++line) parent.push_back(stage.talk().line());
  tell.show("is the parent its parent?", child[0], is("1"));
  tell.show("signal: parent, then child", parent[1] + ", " + child[1], is("pending, none"));
  tell.show("alarm: parent, then child", parent[2] + ", " + child[2], is("set, none"));
  tell.show("lock: parent, then child", parent[3] + ", " + child[3], is("its own or free, held by another"));
  tell.show("processor time: parent", parent[4], is("all that it had used"));
  tell.show("processor time: child", child[4], is("less than the parent had used"));
  tell.result("the copy of the task differs in more than its pid: fork(2) lists it all.");
}

}  // namespace drydock::chapter::fork_clone
