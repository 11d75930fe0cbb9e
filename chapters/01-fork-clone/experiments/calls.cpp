// Which system calls are behind fork(), vfork(), pthread_create() and posix_spawn(), and what they return.
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <string>
#include <thread>

#include <drydock/kernel/raw.hpp>
#include <drydock/kernel/symbols.hpp>
#include <drydock/kernel/sys.hpp>
#include <drydock/namespaces/kinds.hpp>

#include "experiments.hpp"
#include "shared/child.hpp"
#include "shared/look.hpp"

namespace drydock::chapter::fork_clone {

namespace {

// "clone(CLONE_CHILD_SETTID|...)" when the call makes a process or a thread, else nothing.
std::string birth(pid_t pid, const __ptrace_syscall_info& info) {
  const auto number = static_cast<long>(info.entry.nr);
  if (number == SYS_clone) return "clone(" + symbols::clone_flags(info.entry.args[0] & ~0xffULL) + ")";
  if (number == SYS_clone3) {
    clone_args args{};
    iovec ours{&args, sizeof args.flags}, theirs{reinterpret_cast<void*>(info.entry.args[0]), sizeof args.flags};
    raw::call(SYS_process_vm_readv, pid, &ours, 1, &theirs, 1, 0);
    return "clone3(" + symbols::clone_flags(args.flags) + ")";
  }
#ifdef SYS_fork
  if (number == SYS_fork) return "fork()";
#endif
#ifdef SYS_vfork
  if (number == SYS_vfork) return "vfork()";
#endif
  return {};
}

// The first call that makes a process or thread while `action` runs, seen from outside as a debugger sees it.
std::string first_birth(const std::function<void()>& action) {
  Child traced(0, [&](Talk&) {
    raw::call(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0);
    raw::call(SYS_kill, sys::getpid(), SIGSTOP);
    action();
    return 0;
  });
  const pid_t pid = traced.pid();
  int status = 0;
  raw::call(SYS_wait4, pid, &status, 0, nullptr);
  raw::call(SYS_ptrace, PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
  std::string found;
  while (found.empty()) {
    raw::call(SYS_ptrace, PTRACE_SYSCALL, pid, 0, 0);
    if (raw::call(SYS_wait4, pid, &status, 0, nullptr) != pid || !WIFSTOPPED(status)) return "none";
    if (WSTOPSIG(status) != (SIGTRAP | 0x80)) continue;
    __ptrace_syscall_info info{};
    raw::call(SYS_ptrace, PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info);
    if (info.op == PTRACE_SYSCALL_INFO_ENTRY) found = birth(pid, info);
  }
  return found;  // the child is killed on the way out
}

void fork_and_wait() {
  const pid_t pid = ::fork();
  if (pid == 0) ::_exit(0);
  ::waitpid(pid, nullptr, 0);
}

void spawn_and_wait() {
  const char* argv[] = {"true", nullptr};
  pid_t pid = 0;
  if (::posix_spawnp(&pid, "true", nullptr, nullptr, const_cast<char**>(argv), nullptr) == 0) ::waitpid(pid, nullptr, 0);
}

}  // namespace

void which_call(Narrator& tell) {
  tell.step("a child calls each function of the library; the chapter watches its system calls with ptrace(2)");
  tell.show("fork()", first_birth(fork_and_wait),
            satisfies("clone", [](const std::string& seen) { return seen.starts_with("clone("); }));
  tell.show("pthread_create()", first_birth([] { std::thread([] {}).join(); }), contains("CLONE_THREAD"));
  tell.show("posix_spawn()", first_birth(spawn_and_wait), contains("CLONE_VFORK"));
  tell.step("and inside the kernel: /proc/kallsyms names its functions");
  const std::string symbols = sys::read_file("/proc/kallsyms");
  tell.show("a function kernel_clone", symbols.find(" kernel_clone\n") != std::string::npos, is(true));
  tell.show("a function do_fork", symbols.find(" do_fork\n") != std::string::npos, is(false));
  tell.result("fork() is a clone with few flags, a thread one with many. do_fork became kernel_clone in Linux 5.10.");
}

namespace {

// A process that may have no more children: its user has more processes than its limit allows, and it is nobody special.
int fork_at_the_limit(Talk& chapter) {
  const rlimit none{0, 0};
  if (sys::geteuid() == 0) {
    raw::call(SYS_setresgid, 65534, 65534, 65534);
    raw::call(SYS_setresuid, 65534, 65534, 65534);
  }
  raw::call(SYS_prlimit64, 0, RLIMIT_NPROC, &none, nullptr);
  chapter.say(text(Outcome{raw::call(SYS_clone, SIGCHLD, 0, 0, 0, 0)}));
  return 0;
}

}  // namespace

void return_values(Narrator& tell) {
  tell.step("fork, and each of the two processes notes what it got");
  auto [read_end, write_end] = pipe_pair();
  const pid_t parent = sys::getpid();
  const long result = raw::call(SYS_clone, SIGCHLD, 0, 0, 0, 0);
  if (result == 0) {
    const std::string line = std::to_string(result) + " " + (::getppid() == parent ? "my parent called fork" : "?") + "\n";
    raw::call(SYS_write, write_end.get(), line.data(), line.size());
    ::_exit(0);
  }
  write_end.reset();
  const std::string said = Talk(std::move(read_end), Fd()).line();
  tell.show("in the parent", Pid{static_cast<pid_t>(result)},
            satisfies("the child's pid", [&](Pid pid) { return is_alive(pid.number); }));
  tell.show("in the child", said, is("0 my parent called fork"));
  raw::call(SYS_wait4, result, nullptr, 0, nullptr);
  tell.step("the third case: a user who may have no more processes (RLIMIT_NPROC) calls fork");
  Child limited(0, fork_at_the_limit);
  tell.show("fork at the limit", limited.talk().line(), contains("EAGAIN"));
  tell.result("one value in each of two processes, or an error and no second process.");
}

void namespaces_at_birth(Narrator& tell) {
  tell.step("clone3 with and without CLONE_NEWUTS|CLONE_NEWIPC");
  const auto waits = [](Talk& chapter) { return chapter.line().empty() ? 0 : 1; };
  Child plain(0, waits), isolated(for_this_user(CLONE_NEWUTS | CLONE_NEWIPC), waits);
  using namespaces::id_of;
  using namespaces::Kind;
  tell.show("uts, without the flag", Sides{id_of(0, Kind::uts), id_of(plain.pid(), Kind::uts)}, same());
  tell.show("uts, with it", Sides{id_of(0, Kind::uts), id_of(isolated.pid(), Kind::uts)}, differ());
  tell.show("ipc, with it", Sides{id_of(0, Kind::ipc), id_of(isolated.pid(), Kind::ipc)}, differ());
  tell.result("a container begins as an ordinary child with other flags. Chapter 02 goes on from here.");
}

}  // namespace drydock::chapter::fork_clone
