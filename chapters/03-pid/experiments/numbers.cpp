// One process, several numbers: translation, counters, the tree of namespaces and its depth.
#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <linux/sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include <drydock/kernel/raw.hpp>
#include <drydock/kernel/sys.hpp>
#include <drydock/namespaces/kinds.hpp>

#include "experiments.hpp"
#include "shared/child.hpp"
#include "shared/look.hpp"
#include "shared/payload.hpp"

namespace drydock::chapter::pid {

using namespaces::id_of;
using namespaces::Kind;

namespace {

constexpr int most_levels = 32;  // MAX_PID_NS_LEVEL of the kernel

// A process `levels` pid namespaces below its parent. Each level says its own pid as it sees it; the last one waits.
int descend(Talk& above, int levels) {
  above.say(std::to_string(sys::getpid()));
  if (levels == 0) return above.line().empty() ? 0 : 1;
  Child below(CLONE_NEWPID, [=](Talk& talk) { return descend(talk, levels - 1); });
  for (int level = 0; level < levels; ++level) above.say(below.talk().line());
  above.line();
  below.talk().close();
  return below.wait().code();
}

std::size_t count_numbers(const std::string& field) {
  std::size_t count = field.empty() ? 0 : 1;
  for (const char c : field) count += c == ' ' ? 1 : 0;
  return count;
}

// The descendant of `pid` that is `depth` generations below it.
pid_t descendant(pid_t pid, int depth) {
  for (; depth > 0; --depth) {
    const std::string number = std::to_string(pid);
    pid = std::stoi(sys::read_file("/proc/" + number + "/task/" + number + "/children"));
  }
  return pid;
}

std::string last_number(const std::string& field) {
  return field.substr(field.rfind(' ') + 1);
}

}  // namespace

void translation(Narrator& tell) {
  tell.step("three pid namespaces, each in the one before; a process in each");
  Child top(for_this_user(CLONE_NEWPID), [](Talk& chapter) { return descend(chapter, 2); });
  for (const char* level : {"pid that the first has in its own", "the second", "the third"})
    tell.show(level, top.talk().line(), is("1"));
  const std::size_t here = count_numbers(status_field(sys::getpid(), "NSpid"));
  tell.step("the line NSpid of /proc/PID/status, as the chapter sees it: one number for each level");
  for (int level = 0; level < 3; ++level) {
    const pid_t pid = descendant(top.pid(), level);
    const std::string field = status_field(pid, "NSpid");
    tell.show("numbers of level " + std::to_string(level + 1), count_numbers(field),
              is(here + 1 + static_cast<std::size_t>(level)));
    tell.show("the first and the last",
              field.substr(0, field.find(' ')) == std::to_string(pid) ? "ours and " + last_number(field) : field,
              is("ours and 1"));
  }
  top.talk().close();
  tell.show("exit status", top.wait().code(), is(0));
  tell.result("a process has one pid in its own namespace and one in each above. Below it has none.");
}

void own_counters(Narrator& tell) {
  tell.step("two pid namespaces side by side; in each, process 1 makes two children");
  const auto counts = [](Talk& chapter) {
    std::string pids;
    for (int child = 0; child < 2; ++child) {
      const long pid = raw::call(SYS_clone, SIGCHLD, 0, 0, 0, 0);
      if (pid == 0) ::_exit(0);
      pids += (child == 0 ? "" : " ") + std::to_string(pid);
      ::waitpid(static_cast<pid_t>(pid), nullptr, 0);
    }
    chapter.say(pids);
    return chapter.line().empty() ? 0 : 1;
  };
  Child left(for_this_user(CLONE_NEWPID), counts), right(for_this_user(CLONE_NEWPID), counts);
  tell.show("pids of the children, left", left.talk().line(), is("2 3"));
  tell.show("pids of the children, right", right.talk().line(), is("2 3"));
  tell.show("same pid namespace?", id_of(left.pid(), Kind::pid) == id_of(right.pid(), Kind::pid), is(false));
  tell.show("same pid outside?", left.pid() == right.pid(), is(false));
  tell.result("each namespace counts for itself; the same number in two of them is two processes.");
}

void tree(Narrator& tell) {
  tell.step("two levels, and ioctl(NS_GET_PARENT) on the descriptor of each namespace");
  Child top(for_this_user(CLONE_NEWPID), [](Talk& chapter) { return descend(chapter, 1); });
  top.talk().line();
  top.talk().line();
  const pid_t deep = descendant(top.pid(), 1);
  const Fd lowest = sys::open(namespaces::path_of(deep, Kind::pid), O_RDONLY);
  const Fd middle(static_cast<int>(raw::call(SYS_ioctl, lowest.get(), NS_GET_PARENT)));
  const Fd ours(static_cast<int>(raw::call(SYS_ioctl, middle.get(), NS_GET_PARENT)));
  tell.show("parent of the second is the first?",
            static_cast<std::uint64_t>(sys::fstat(middle).st_ino) == id_of(top.pid(), Kind::pid), is(true));
  tell.show("parent of the first is ours?", static_cast<std::uint64_t>(sys::fstat(ours).st_ino) == id_of(0, Kind::pid), is(true));
  tell.step("and above ours? What lies above is not for us to see");
  tell.show("NS_GET_PARENT of our own", Outcome{raw::call(SYS_ioctl, ours.get(), NS_GET_PARENT)}, fails_with(EPERM));
}

namespace {

// Goes on until the kernel refuses; says how many levels it made, and the refusal.
int descend_until_refused(Talk& above, int level) {
  std::optional<Child> below;
  const long result = Child::start(
      CLONE_NEWPID, [=](Talk& talk) { return descend_until_refused(talk, level + 1); }, below);
  above.say(raw::failed(result) ? std::to_string(level) + " " + text(Outcome{result}) : below->talk().line());
  return 0;
}

}  // namespace

void nesting(Narrator& tell) {
  tell.step("a process in a new pid namespace makes a process in a new pid namespace, and so on");
  Child top(for_this_user(CLONE_NEWPID), [](Talk& chapter) { return descend_until_refused(chapter, 1); });
  const std::string said = top.talk().line();
  const int levels = std::stoi(said);
  tell.show("levels below ours", levels,
            satisfies("32 below the first of the machine", [](int n) { return n > 0 && n <= most_levels; }));
  tell.show("and the next one", said.substr(said.find(' ') + 1), contains("ENOSPC"));
  tell.result("nesting is a matter of the kernel's, up to 32. A nested runtime needs its own groups, mounts and rights besides.");
}

}  // namespace drydock::chapter::pid
