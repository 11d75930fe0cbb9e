// One kernel for all containers, which is neither started with them nor theirs.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bit>
#include <memory>
#include <string>
#include <vector>

#include <drydock/container/container.hpp>
#include <drydock/image/store.hpp>
#include <drydock/kernel/sys.hpp>

#include "experiments.hpp"
#include "experiments/protections.hpp"
#include "shared/child.hpp"
#include "shared/image.hpp"
#include "shared/look.hpp"
#include "shared/tiny_elf.hpp"

namespace drydock::chapter::full_run {

using namespaces::Kind;

namespace {

std::string trimmed(std::string text) {
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

std::string first_line_of_host(const std::string& path) {
  const std::string all = sys::read_file(path);
  return all.substr(0, all.find('\n'));
}

bool same_on_the_host(Payload& payload, const std::string& path) {
  return ask(payload, "cat " + path) == first_line_of_host(path);
}

// The numbers behind these words, in the file's own unit.
std::uint64_t sum_of(const std::string& path, const std::vector<std::string>& words) {
  const std::string all = sys::read_file(path);
  std::uint64_t sum = 0;
  for (const std::string& word : words)
    if (const std::size_t at = all.find(word); at != std::string::npos) sum += std::stoull(all.substr(at + word.size()));
  return sum;
}

// What a program of these bytes prints, or why execve(2) refuses it.
std::string executed(const std::string& program) {
  Child child(0, [&](Talk& chapter) {
    const Fd file = sys::memfd_create("program", MFD_CLOEXEC);
    sys::write_all(file, program);
    raw::call(SYS_dup3, chapter.output(), STDOUT_FILENO, 0);
    const char* words[] = {"program", nullptr};
    const char* none[] = {nullptr};
    chapter.say(text(Outcome{raw::call(SYS_execveat, file.get(), "", words, none, AT_EMPTY_PATH)}));
    return 127;
  });
  return child.talk().line();
}

}  // namespace

void one_kernel(Narrator& tell) {
  tell.step("a container starts; how long has its kernel been running then?");
  const std::uint64_t begin = sys::monotonic_ns();
  Payload payload(tell, container());
  const auto uptime = static_cast<std::uint64_t>(std::stod(ask(payload, "cat /proc/uptime")) * 1e9);
  const Time started{sys::monotonic_ns() - begin};
  tell.show("the start took", started, satisfies("less than its kernel runs", [&](Time seen) { return seen < Time{uptime}; }));
  tell.show("its kernel has been running for", Time{uptime},
            satisfies("longer than the start took", [&](Time seen) { return seen > started; }));
  tell.step("was a kernel started with it?");
  tell.show("the same boot?", same_on_the_host(payload, "/proc/sys/kernel/random/boot_id"), is(true));
  tell.show("the same kernel?", same_on_the_host(payload, "/proc/version"), is(true));
  tell.show("the same kernel command line?", same_on_the_host(payload, "/proc/cmdline"), is(true));
  tell.step("and what runs in it");
  tell.show("processes", ask_shell(payload, "set -- /proc/[0-9]*; echo $#"), is("1"));
  tell.result("no machine, no boot, no second kernel: a container is processes on the kernel that is there.");
}

void guest(Narrator& tell) {
  tell.step("this machine is itself a guest: its processor says that a hypervisor runs it. What does the guest have?");
  tell.show("hypervisor flag of the processor", sys::read_file("/proc/cpuinfo").find(" hypervisor") != std::string::npos,
            is(true));
  tell.show("a kernel of its own, with threads", trimmed(sys::read_file("/proc/2/comm")), is("kthreadd"));
  const std::uint64_t kernels = sum_of("/proc/meminfo", {"Slab:", "KernelStack:", "PageTables:"});
  tell.show("memory of that kernel alone", About{static_cast<double>(kernels), "KiB"}, at_least(About{1024, "KiB"}));
  Payload payload(tell, container());
  tell.step("a container in the guest");
  const std::uint64_t whole = sum_of("/proc/" + text(payload.pid()) + "/status", {"VmRSS:"});
  tell.show("memory of the whole container", About{static_cast<double>(whole), "KiB"},
            satisfies("less than a kernel's", [&](const About& seen) { return seen.value < static_cast<double>(kernels); }));
  tell.show("does it see the same flag?", ask(payload, "grep -q ' hypervisor' /proc/cpuinfo && echo yes"), is("yes"));
  tell.show("has it kernel threads?", ask(payload, "test -d /proc/2/task && cat /proc/2/comm || echo none"), is_not("kthreadd"));
  tell.show("the guest's kernel?", same_on_the_host(payload, "/proc/version"), is(true));
  tell.result(
      "a hypervisor gives virtual hardware, on which a real system boots: this Linux. It emulates no operating system, and a "
      "container is none.");
}

void foreign(Narrator& tell) {
  tell.step("two programs of 200 bytes, equal but for the architecture in their heads and the code behind it: execve each");
  tell.show("the program for this machine", executed(tiny_elf("hello\n")), is("hello"));
  tell.show("the program for another", executed(tiny_elf_of_another_machine("hello\n")), contains("ENOEXEC"));
  tell.step("the image's configuration says for which it is");
  const std::string configuration = drydock::image::Store(container::default_paths().data).config_json("busybox");
  tell.show(
      "architecture and os named?",
      configuration.find("\"architecture\"") != std::string::npos && configuration.find("\"os\":\"linux\"") != std::string::npos,
      is(true));
  tell.result(
      "a container runs where the kernel is a Linux and the processor is the image's. \"Any operating system\" is a VM's word.");
}

void many(Narrator& tell) {
  constexpr std::size_t wanted = 50;
  tell.step("fifty containers of one image, all alive at once");
  std::vector<std::unique_ptr<Payload>> all;
  const std::uint64_t begin = sys::monotonic_ns();
  while (all.size() < wanted) all.push_back(std::make_unique<Payload>(tell, sketch_of(12, request_with_image())));
  const Time took{sys::monotonic_ns() - begin};
  std::size_t answers = 0;
  for (const auto& one : all) {
    one->talk().say("alive");
    if (one->talk().line() == "alive") ++answers;
  }
  tell.show("that answer", answers, is(wanted));
  tell.show("one start took, on average", Time{took.nanoseconds / wanted}, at_most(Time{1'000'000'000}));
  tell.step("and what separates them from the kernel that they share");
  const facts::Snapshot facts = all.front()->facts();
  tell.show("capabilities that each keeps", std::popcount(facts.status.capabilities.effective), at_least(13));
  tell.show("system calls", facts::seccomp_words(facts.status.seccomp), is("filter"));
  tell.result("light, because nothing is emulated; a sandbox with a shared floor: one hole in the kernel is a hole in all.");
}

void init_system(Narrator& tell) {
  Sketch sketch = sketch_of(12, request_with_image({"init"}));
  tell.step("a container whose program is busybox init, which expects to start a whole system");
  Payload payload(tell, std::move(sketch));
  const facts::Snapshot inside = payload.facts();
  tell.show("its process 1", inside.status.name, is("init"));
  tell.show("its number, inside", inside.status.ns_pids.back(), is(1));
  tell.show("is it a process of the host too?", is_alive(payload.pid()), is(true));
  tell.show("kernel", Sides{kernel_version(), visit(payload.pid(), {Kind::user, Kind::uts}, kernel_version)}, same());
  tell.result("a system container is a container whose first program is an init. Close to an install, without its kernel.");
}

}  // namespace drydock::chapter::full_run
