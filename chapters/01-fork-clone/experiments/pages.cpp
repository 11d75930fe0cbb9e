// What fork copies: page tables at once, pages one by one when somebody writes.
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include <drydock/kernel/raw.hpp>
#include <drydock/kernel/sys.hpp>

#include "experiments.hpp"
#include "experiments/region.hpp"
#include "shared/child.hpp"
#include "shared/look.hpp"

namespace drydock::chapter::fork_clone {

namespace {

constexpr std::size_t pages = 4096;

void say_dirty(Talk& chapter, const Region& region) {
  chapter.say(std::to_string(region.kilobytes("Shared_Dirty")));
  chapter.say(std::to_string(region.kilobytes("Private_Dirty")));
}

std::uint64_t number(Talk& talk) {
  return std::stoull(talk.line());
}

}  // namespace

void copy_on_write(Narrator& tell) {
  const std::size_t size = pages * page_bytes() / 1024;
  tell.step("the parent writes 4096 pages, then forks a child that looks at them, writes each one, and looks again");
  Region region(pages);
  region.write_each_page();
  region.number() = 7;
  Child child(0, [&](Talk& chapter) {
    chapter.say(std::to_string(region.number()));
    say_dirty(chapter, region);
    chapter.say(std::to_string(faults_of(region, &Region::write_each_page)));
    region.number() = 8;
    say_dirty(chapter, region);
    return 0;
  });
  tell.show("value in the child", number(child.talk()), is(7));
  tell.show("kB shared with the parent", number(child.talk()), is(size));
  tell.show("kB of its own", number(child.talk()), is(0));
  tell.step("the child writes one byte to each page");
  tell.show("page faults that this took", number(child.talk()), is(pages));
  tell.show("kB shared with the parent", number(child.talk()), is(0));
  tell.show("kB of its own", number(child.talk()), is(size));
  tell.show("value in the parent", int{region.number()}, is(7));
  tell.result("nothing was copied by fork, everything by writing: one fault and one page at a time.");
}

void page_size(Narrator& tell) {
  tell.step("ask for the size, then write 1 byte to each of 256 pages, and 4096 bytes to one");
  // The notes say 4086. Other machines have other sizes: arm64 knows 4096, 16384 and 65536.
  tell.show("bytes in a page", page_bytes(),
            satisfies("a power of two from 4096", [](std::size_t n) { return n >= 4096 && (n & (n - 1)) == 0; }));
  Region many(256), one(1);
  tell.show("faults for 256 bytes in 256 pages", faults_of(many, &Region::write_each_page), is(256));
  tell.show("faults for a page full of bytes", faults_of(one, &Region::write_all), is(1));
  tell.result("the kernel gives memory by the page frame, at the first write. The processor only translates, and faults.");
}

namespace {

// Lines of /proc/PID/maps that name a file: the program and its libraries, code and data.
std::string file_mappings(pid_t pid) {
  std::istringstream all(sys::read_file("/proc/" + std::to_string(pid) + "/maps"));
  std::string files;
  for (std::string line; std::getline(all, line);)
    if (line.find('/') != std::string::npos) files += line + "\n";
  return files;
}

}  // namespace

void same_map(Narrator& tell) {
  tell.step("parent and child: which files are mapped where (/proc/PID/maps), and where the machine code is");
  const auto code = reinterpret_cast<std::uintptr_t>(&same_map);
  Child child(0, [&](Talk& chapter) {
    chapter.say(reinterpret_cast<std::uintptr_t>(&same_map) == code ? "the same" : "another");
    chapter.line();
    return 0;
  });
  tell.show("files mapped, and where", file_mappings(child.pid()) == file_mappings(sys::getpid()) ? "the same" : "others",
            is("the same"));
  tell.show("address of this function in the child", child.talk().line(), is("the same"));
  const std::string text = sys::read_file("/proc/" + std::to_string(child.pid()) + "/smaps");
  const std::size_t area = text.find("r-xp");
  const auto own_code = std::stoull(text.substr(text.find("Anonymous:", area) + 10));
  tell.show("kB of code that the child has of its own", own_code, is(0));
  tell.result("the same code pages for both; stack and data are the same pages too, until one of them writes.");
}

namespace {

std::uint64_t fork_ns() {
  const std::uint64_t begin = sys::monotonic_ns();
  const long pid = raw::call(SYS_clone, SIGCHLD, 0, 0, 0, 0);
  if (pid == 0) ::_exit(0);
  const std::uint64_t passed = sys::monotonic_ns() - begin;
  raw::call(SYS_wait4, pid, nullptr, 0, nullptr);
  return passed;
}

// A process that has written so much memory, says the size of its page tables, and forks whenever it is asked.
Child forker(std::size_t megabytes) {
  return Child(0, [=](Talk& chapter) {
    Region region(megabytes * 1024 * 1024 / page_bytes());
    region.write_each_page();
    chapter.say(std::to_string(std::stoull(status_field(sys::getpid(), "VmPTE"))));
    while (!chapter.line().empty()) chapter.say(std::to_string(fork_ns()));
    return 0;
  });
}

struct Cost {
  std::uint64_t page_table_kilobytes = 0, nanoseconds = ~std::uint64_t{0};
};

// They fork in turn, and of many times the shortest counts: what else runs on the machine only adds, and adds to all.
std::vector<Cost> costs_of(const std::vector<std::size_t>& sizes) {
  std::vector<Child> forkers;
  std::vector<Cost> costs;
  for (const std::size_t megabytes : sizes) {
    forkers.push_back(forker(megabytes));
    costs.push_back({number(forkers.back().talk())});
  }
  for (int round = 0; round < 25; ++round)
    for (std::size_t at = 0; at < forkers.size(); ++at) {
      forkers[at].talk().say("fork");
      costs[at].nanoseconds = std::min(costs[at].nanoseconds, number(forkers[at].talk()));
    }
  return costs;
}

}  // namespace

void fork_cost(Narrator& tell) {
  tell.step("fork with 4, 32 and 256 MiB written: the time in the parent, and the size of its page tables");
  const std::vector<Cost> costs = costs_of({4, 32, 256});
  const auto longer = satisfies("longer than with 4 MiB", [&](Time seen) { return seen.nanoseconds > costs[0].nanoseconds; });
  tell.show("fork with 4 MiB", Time{costs[0].nanoseconds}, at_most(Time{costs[2].nanoseconds}));
  tell.show("fork with 32 MiB", Time{costs[1].nanoseconds}, longer);
  tell.show("fork with 256 MiB", Time{costs[2].nanoseconds}, longer);
  tell.show("page tables with 4 MiB, kB", About{static_cast<double>(costs[0].page_table_kilobytes)}, at_least(About{8}));
  tell.show("page tables with 32 MiB, kB", About{static_cast<double>(costs[1].page_table_kilobytes)}, at_least(About{64}));
  tell.show("page tables with 256 MiB, kB", About{static_cast<double>(costs[2].page_table_kilobytes)}, at_least(About{512}));
  tell.result("the pages stay, the tables that name them are copied: 8 bytes for each page, and time for each of them.");
}

}  // namespace drydock::chapter::fork_clone
