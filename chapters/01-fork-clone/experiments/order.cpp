// Who runs first, and why a line is printed twice.
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include <drydock/kernel/raw.hpp>
#include <drydock/kernel/sys.hpp>

#include "experiments.hpp"
#include "shared/child.hpp"
#include "shared/payload.hpp"

namespace drydock::chapter::fork_clone {

namespace {

void write_to(const Fd& fd, const char* text, std::size_t size) {
  raw::call(SYS_write, fd.get(), text, size);
}

// One fork in which both write a letter; the letter that came first.
char first_writer(bool parent_waits) {
  auto [read_end, write_end] = pipe_pair();
  const long child = raw::call(SYS_clone, SIGCHLD, 0, 0, 0, 0);
  if (child == 0) {
    write_to(write_end, "c", 1);
    ::_exit(0);
  }
  if (parent_waits) raw::call(SYS_wait4, child, nullptr, 0, nullptr);
  write_to(write_end, "p", 1);
  char letter = '?';
  raw::call(SYS_read, read_end.get(), &letter, 1);
  if (!parent_waits) raw::call(SYS_wait4, child, nullptr, 0, nullptr);
  return letter;
}

struct First {
  int parent = 0, child = 0;
};

First count_first(int runs, bool parent_waits) {
  First count;
  for (int run = 0; run < runs; ++run) {
    const char letter = first_writer(parent_waits);
    count.parent += letter == 'p' ? 1 : 0;
    count.child += letter == 'c' ? 1 : 0;
  }
  return count;
}

}  // namespace

void order(Narrator& tell) {
  constexpr int runs = 1000;
  tell.step("1000 times: fork, and both processes write a letter to a pipe");
  const First free = count_first(runs, false);
  const auto together = satisfies("together 1000", [&](const About&) { return free.parent + free.child == runs; });
  tell.show("the parent's letter came first", About{static_cast<double>(free.parent), "times"}, together);
  tell.show("the child's letter came first", About{static_cast<double>(free.child), "times"}, together);
  tell.step("the same, but the parent waits for the child before it writes");
  const First ordered = count_first(runs, true);
  tell.show("the parent's letter came first", ordered.parent, is(0));
  tell.show("the child's letter came first", ordered.child, is(runs));
  tell.result("both are ready after fork, and the scheduler may take either. Who needs an order has to wait for it.");
}

namespace {

// Both processes write `count` letters each, one at a time; the order of arrival.
std::string both_write(int count) {
  constexpr timespec moment{0, 50'000};
  auto [read_end, write_end] = pipe_pair();
  const auto write_letters = [&](const char* letter) {
    for (int at = 0; at < count; ++at) {
      write_to(write_end, letter, 1);
      raw::call(SYS_nanosleep, &moment, nullptr);  // each letter is a chance for the other
    }
  };
  const long child = raw::call(SYS_clone, SIGCHLD, 0, 0, 0, 0);
  if (child == 0) {
    write_letters("c");
    ::_exit(0);
  }
  write_letters("p");
  raw::call(SYS_wait4, child, nullptr, 0, nullptr);
  write_end.reset();
  return Talk(std::move(read_end), Fd()).rest();
}

}  // namespace

void interleaving(Narrator& tell) {
  constexpr int count = 300;
  tell.step("a loop in both branches: parent and child write 300 letters each, one by one");
  const std::string seen = both_write(count);
  int changes = 0;
  for (std::size_t at = 1; at < seen.size(); ++at) changes += seen[at] != seen[at - 1] ? 1 : 0;
  tell.show("letters of the parent", std::count(seen.begin(), seen.end(), 'p'), is(count));
  tell.show("letters of the child", std::count(seen.begin(), seen.end(), 'c'), is(count));
  tell.show("changes from one to the other", About{static_cast<double>(changes)}, at_least(About{2}));
  tell.step("as the notes have it: one line from each");
  const std::string once = both_write(1);
  tell.show("lines of the two", once.size(), is(2));
  tell.result("interleaving takes many lines. With one from each process there is an order, and no more.");
}

namespace {

// "before", then fork, then a line from each; through the library's buffer into `target`. Lines as they arrive.
void print_and_fork(int target, bool flush) {
  FILE* stream = ::fdopen(target, "w");
  ::fputs("before fork\n", stream);
  if (flush) ::fflush(stream);
  const pid_t child = ::fork();
  ::fputs(child == 0 ? "child\n" : "parent\n", stream);
  ::fclose(stream);
  if (child == 0) ::_exit(0);
  ::waitpid(child, nullptr, 0);
}

std::size_t lines_through_pipe(bool flush) {
  auto [read_end, write_end] = pipe_pair();
  Child child(0, [&](Talk&) {
    print_and_fork(write_end.release(), flush);
    return 0;
  });
  write_end.reset();
  const std::string all = Talk(std::move(read_end), Fd()).rest();
  return static_cast<std::size_t>(std::count(all.begin(), all.end(), '\n'));
}

std::size_t lines_on_terminal() {
  int ours = -1, theirs = -1;
  ::openpty(&ours, &theirs, nullptr, nullptr, nullptr);
  const Fd master(ours);
  Fd peer(theirs);
  Child child(0, [&](Talk&) {
    print_and_fork(::dup(peer.get()), false);
    return 0;
  });
  child.wait();
  peer.reset();
  std::size_t lines = 0;
  char buffer[256];
  // What was written arrives a moment later; the end of a terminal that nobody has open is EIO.
  for (long size; (size = raw::call(SYS_read, ours, buffer, sizeof buffer)) > 0;)
    lines += static_cast<std::size_t>(std::count(buffer, buffer + size, '\n'));
  return lines;
}

}  // namespace

void double_print(Narrator& tell) {
  tell.step("a program prints \"before fork\", forks, and prints a line in each process");
  tell.show("lines on a terminal", lines_on_terminal(), is(3));
  tell.show("lines through a pipe", lines_through_pipe(false), is(4));
  tell.show("lines through a pipe, flushed before", lines_through_pipe(true), is(3));
  tell.result("into a pipe, the line still stands in the buffer when fork copies it: both processes write it out.");
}

void python_script(Narrator& tell) {
  tell.step("the notes' script with os.fork(), its output a pipe");
  Request request;
  request.command = {"python3", "-c",
                     "import os\nprint('before fork')\npid = os.fork()\n"
                     "print('child' if pid == 0 else 'parent')\nif pid: os.waitpid(pid, 0)"};
  Payload script(tell, sketch_of(1, request));
  const std::string said = script.talk().rest();
  tell.show("lines", std::count(said.begin(), said.end(), '\n'), is(4));
  tell.show(
      "of them \"before fork\"",
      [&] {
        int count = 0;
        for (std::size_t at = said.find("before"); at != std::string::npos; at = said.find("before", at + 1)) ++count;
        return count;
      }(),
      is(2));
  tell.show("exit status", script.end(), is(0));
  tell.result("nothing is asynchronous about os.fork(): it is fork(2), and a buffer that nobody flushed.");
}

}  // namespace drydock::chapter::fork_clone
