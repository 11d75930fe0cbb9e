// The links below /proc/PID/ns: which kinds there are, and what a link says.
#include <fcntl.h>
#include <linux/sched.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <cctype>
#include <set>
#include <string>

#include <drydock/kernel/raw.hpp>
#include <drydock/kernel/sys.hpp>
#include <drydock/namespaces/kinds.hpp>

#include "experiments.hpp"
#include "shared/child.hpp"
#include "shared/look.hpp"
#include "shared/payload.hpp"

namespace drydock::chapter::uts {

using namespaces::Kind;

namespace {

std::string directory_of(pid_t pid) {
  return "/proc/" + (pid == 0 ? "self" : std::to_string(pid)) + "/ns";
}

std::set<std::string> kinds_that_differ(pid_t a, pid_t b) {
  std::set<std::string> out;
  const auto of_a = namespaces::ids_of(a), of_b = namespaces::ids_of(b);
  for (const auto& [kind, id] : of_a)
    if (const auto twin = of_b.find(kind); twin == of_b.end() || twin->second != id)
      out.insert(std::string(namespaces::info(kind).name));
  return out;
}

std::string joined(const std::set<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : " ") + word;
  return out.empty() ? "none" : out;
}

// The id that /proc/PID/ns/KIND_for_children names, for the two kinds that hold for children only.
std::string file_for_children(Kind kind) {
  return directory_of(0) + "/" + std::string(namespaces::info(kind).name) + "_for_children";
}

// After unshare(flag), which links of the caller differ from before?
std::string changed_by_unshare(Kind kind) {
  const bool for_children = kind == Kind::pid || kind == Kind::time;
  Child child(for_this_user(0), [=](Talk& chapter) {
    const auto before = namespaces::ids_of(0);
    const std::string children = for_children ? link_of(file_for_children(kind)) : "";
    const long result = raw::call(SYS_unshare, namespaces::info(kind).flag);
    if (raw::failed(result)) {
      chapter.say(text(Outcome{result}));
      return 0;
    }
    std::set<std::string> changed;
    for (const auto& [each, id] : namespaces::ids_of(0))
      if (before.at(each) != id) changed.insert(std::string(namespaces::info(each).name));
    // The first child makes the pid namespace; until then the link leads nowhere.
    if (for_children && (kind == Kind::pid || link_of(file_for_children(kind)) != children))
      changed.insert(std::string(namespaces::info(kind).name) + "_for_children");
    chapter.say(joined(changed));
    return 0;
  });
  return child.talk().line();
}

}  // namespace

void links(Narrator& tell) {
  tell.step("read the link, and stat() the file behind it");
  const std::string path = namespaces::path_of(0, Kind::uts);
  const auto id = namespaces::parse_id(link_of(path)).value_or(0);
  tell.show("readlink /proc/self/ns/uts", link_of(path), is("uts:[" + std::to_string(id) + "]"));
  const struct stat behind = sys::fstat(sys::open(path, O_RDONLY));
  tell.show("inode of the file behind it", static_cast<std::uint64_t>(behind.st_ino), is(id));
  const auto itself = sys::lstat(path);
  tell.show("is the entry a symbolic link?", itself && S_ISLNK(itself->st_mode), is(true));
  tell.step("the numbers of process 1 and of this program: the namespaces that the machine began with");
  tell.show(
      "what differs in a new container",
      [&] {
        Payload payload(tell, sketch_of(2, request_of_this_user()));
        return joined(kinds_that_differ(0, payload.pid()));
      }(),
      contains("uts"));
  tell.show("entries below /proc/self/ns", sys::list_directory(directory_of(0)).size(), at_least(10));
  tell.say("the directory came with Linux 3.0; 3.8 made its entries links and added pid, mnt and user");
}

void eight_kinds(Narrator& tell) {
  tell.step("for each kind: unshare() it in a child, and see which links of the child changed");
  for (const namespaces::KindInfo& info : namespaces::all_kinds()) {
    const bool for_children = info.kind == Kind::pid || info.kind == Kind::time;
    const std::string wanted = std::string(info.name) + (for_children ? "_for_children" : "");
    tell.show(
        "unshare(CLONE_NEW" +
            [&] {
              std::string upper;
              for (const char c : std::string(info.name == "mnt" ? "ns" : info.name))
                upper += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
              return upper;
            }() +
            ") changes",
        changed_by_unshare(info.kind), is(wanted));
  }
  tell.show("kinds", namespaces::all_kinds().size(), is(8));
  const auto entries = sys::list_directory(directory_of(0));
  tell.show("entries below /proc/self/ns", entries.size(), at_least(10));
  tell.result("one flag, one view. The notes count six: cgroup (4.6) and time (5.6) came later.");
}

void own_pid(Narrator& tell) {
  tell.step("a shell asks for the link of $$, and the chapter for the link of that process");
  Request request;
  request.command = {"sh", "-c", "echo $$; readlink /proc/$$/ns/uts; read wait"};
  Payload shell(tell, sketch_of(1, request));
  tell.show("$$ in the shell", Pid{std::stoi(shell.talk().line())}, is(Pid{shell.pid()}));
  tell.show("its link, read by the shell", shell.talk().line(), is(link_of(namespaces::path_of(shell.pid(), Kind::uts))));
  tell.say("the shell puts the number in before readlink runs; /proc/self would be readlink. In fish it is $fish_pid");
}

void one_view(Narrator& tell) {
  tell.step("a child with a pid and a UTS namespace of its own, and nothing else");
  Child child(for_this_user(CLONE_NEWPID | CLONE_NEWUTS), [](Talk& chapter) {
    chapter.say(std::to_string(sys::getpid()));
    chapter.say(std::to_string(processes().size()));
    chapter.say(std::to_string(sys::read_file("/proc/mounts").size()));
    chapter.line();
    return 0;
  });
  tell.show("it calls itself", "process " + child.talk().line(), is("process 1"));
  const auto seen = std::stoul(child.talk().line());
  tell.show("processes that its /proc lists", About{static_cast<double>(seen)},
            satisfies("those of the host", [](const About& n) { return n.value > 3; }));
  tell.show("/proc/mounts", Sides{sys::read_file("/proc/mounts").size(), std::stoul(child.talk().line())}, same());
  tell.show("net namespace", Sides{namespaces::id_of(0, Kind::net), namespaces::id_of(child.pid(), Kind::net)}, same());
  tell.result("each namespace hides one thing. \"Believing to own the system\" takes all of them, and a /proc of one's own.");
}

}  // namespace drydock::chapter::uts
