// Processes that share memory: vfork, CLONE_VM, threads; and kernel threads, which have none.
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <thread>

#include <drydock/kernel/raw.hpp>
#include <drydock/kernel/sys.hpp>

#include "experiments.hpp"
#include "experiments/region.hpp"
#include "shared/child.hpp"
#include "shared/look.hpp"

namespace drydock::chapter::fork_clone {

namespace {

constexpr std::size_t stack_size = 64 * 1024;
volatile int variable = 1;

pid_t gettid_now() {
  return static_cast<pid_t>(raw::call(SYS_gettid));
}

}  // namespace

void vfork_child(Narrator& tell) {
  tell.step("a process calls vfork(); the child waits for a word, sets x = 99 and ends");
  Child parent(0, [](Talk& chapter) {
    volatile int x = 1;
    const int input = chapter.input(), output = chapter.output();
    const pid_t child = ::vfork();
    if (child == 0) {  // on the parent's stack: nothing here may return, or allocate
      char line[16];
      raw::call(SYS_write, output, "v\n", 2);
      raw::call(SYS_read, input, line, sizeof line);
      x = 99;
      ::_exit(0);
    }
    chapter.say(std::to_string(x));
    ::waitpid(child, nullptr, 0);
    return 0;
  });
  parent.talk().line();
  const std::string path = "/proc/" + std::to_string(parent.pid()) + "/task/" + std::to_string(parent.pid()) + "/children";
  const pid_t child = std::stoi(sys::read_file(path));
  tell.show("the child's Tgid is its own pid", Pid{std::stoi(status_field(child, "Tgid"))}, is(Pid{child}));
  tell.show("is it another than the parent's?", child != parent.pid(), is(true));
  tell.show("threads in the child", status_field(child, "Threads"), is("1"));
  tell.show("state of the parent meanwhile", status_field(parent.pid(), "State"), contains("D (disk sleep)"));
  tell.step("the child goes on");
  parent.talk().say("go");
  tell.show("x in the parent", parent.talk().line(), is("99"));
  tell.show("exit status of the parent", parent.wait().code(), is(0));
  tell.result("a process, not a thread: borrowed memory, and a parent that sleeps until the child execs or ends.");
}

namespace {

int set_variable(void*) {
  variable = 99;
  return gettid_now() == sys::getpid() ? 10 : 11;
}

int touch(void* region) {
  static_cast<Region*>(region)->write_each_page();
  return 0;
}

int end_status(pid_t pid) {
  int status = 0;
  ::waitpid(pid, &status, __WALL);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

pid_t clone_with_memory(int (*run)(void*), void* argument) {
  static char* stack =
      static_cast<char*>(::mmap(nullptr, stack_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  return ::clone(run, stack + stack_size, CLONE_VM | SIGCHLD, argument);
}

std::uint64_t resident_kilobytes() {
  return std::stoull(status_field(sys::getpid(), "VmRSS"));
}

}  // namespace

void clone_vm(Narrator& tell) {
  tell.step("clone(CLONE_VM|SIGCHLD): the child sets a variable, and tells whether its tid is its pid");
  variable = 1;
  const pid_t child = clone_with_memory(set_variable, nullptr);
  tell.show("is its pid another?", child != sys::getpid(), is(true));
  tell.show("its tid is its pid: a process", end_status(child) == 10, is(true));
  tell.show("the variable, in the parent", int{variable}, is(99));
  tell.step("for comparison a thread, in a process of its own");
  Child stage(0, [](Talk& chapter) {
    pid_t pid = 0, tid = 0;
    std::thread([&] { pid = sys::getpid(), tid = gettid_now(); }).join();
    chapter.say(std::string(pid == sys::getpid() ? "same pid" : "other pid") +
                (tid == gettid_now() ? ", same tid" : ", other tid"));
    return 0;
  });
  tell.show("the thread has", stage.talk().line(), is("same pid, other tid"));
  tell.step("the price of CLONE_VM: a child writes 8 MiB, and ends");
  Region region(8 * 1024 * 1024 / page_bytes());
  const std::uint64_t before = resident_kilobytes();
  end_status(clone_with_memory(touch, &region));
  tell.show("the parent has grown by, kB", About{static_cast<double>(resident_kilobytes() - before)}, at_least(About{8000}));
  tell.result("thread or process is a question of CLONE_THREAD, not of memory. What a CLONE_VM child does, its parent pays for.");
}

void kernel_threads(Narrator& tell) {
  tell.step("process 2 is kthreadd, from which all kernel threads come");
  tell.show("name of process 2", status_field(2, "Name"), is("kthreadd"));
  tell.show("its parent", status_field(2, "PPid"), is("0"));
  tell.show("bytes in its /proc/2/maps", sys::read_file("/proc/2/maps").size(), is(0));
  tell.show("does its status name any memory?", !status_field(2, "VmSize").empty(), is(false));
  tell.show("bytes in our own maps", About{static_cast<double>(sys::read_file("/proc/self/maps").size())}, at_least(About{100}));
  tell.result(
      "a kernel thread has a task and a stack in the kernel, and no address space. A \"user thread\" has one, and shares it.");
}

}  // namespace drydock::chapter::fork_clone
