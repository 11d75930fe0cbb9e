// Namespaces with a name, as ip-netns(8) makes them: a file below /run/netns with the namespace mounted on it.
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/sched.h>
#include <sys/mount.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include <drydock/kernel/raw.hpp>
#include <drydock/kernel/sys.hpp>
#include <drydock/namespaces/join.hpp>
#include <drydock/namespaces/kinds.hpp>

#include "experiments.hpp"
#include "shared/child.hpp"
#include "shared/look.hpp"
#include "shared/wire.hpp"
#include "stage.hpp"

namespace drydock::chapter::net {

using namespaces::id_of;
using namespaces::Kind;

namespace {

constexpr const char* file = "/run/netns/nstest";

// A machine of the experiment's own: nothing is mounted outside of it, /run is empty.
Child machine(const Body& body) {
  return Child(for_this_user(CLONE_NEWNS | CLONE_NEWNET), [=](Talk& chapter) {
    raw::call(SYS_mount, "none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
    raw::call(SYS_mount, "tmpfs", "/run", "tmpfs", 0, nullptr);
    sys::mkdir("/run/netns", 0755);
    return body(chapter);
  });
}

// What `ip netns add nstest` does; the process that made the namespace ends.
Outcome add_nstest() {
  sys::open(file, O_RDONLY | O_CREAT | O_EXCL, 0);
  Child maker(0, [](Talk& talk) {
    raw::call(SYS_unshare, CLONE_NEWNET);
    talk.say(std::to_string(raw::call(SYS_mount, "/proc/self/ns/net", file, "none", MS_BIND, nullptr)));
    return 0;
  });
  const Outcome made{std::stol(maker.talk().line())};
  maker.wait();
  return made;
}

// ... `ip netns exec nstest`, ...
Held entered() {
  return {sys::open(file, O_RDONLY), Kind::net};
}

// ... and `ip netns delete nstest`.
void delete_nstest() {
  namespaces::unpin(file);
}

std::string list() {
  std::string all;
  for (const std::string& name : sys::list_directory("/run/netns")) all += (all.empty() ? "" : " ") + name;
  return all.empty() ? "none" : all;
}

bool is_namespace(const char* path) {
  struct statfs status {};
  raw::call(SYS_statfs, path, &status);
  return status.f_type == NSFS_MAGIC;
}

// What another program prints, on both streams; without its last line end.
std::string output_of(std::vector<std::string> words) {
  Child child(0, [&](Talk& talk) {
    raw::call(SYS_dup3, talk.output(), 1, 0);
    raw::call(SYS_dup3, talk.output(), 2, 0);
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    ::execvp(argv[0], argv.data());
    return 127;
  });
  std::string all = child.talk().rest();
  child.wait();
  if (all.ends_with('\n')) all.pop_back();
  return all.empty() ? "nothing" : all;
}

}  // namespace

void named(Narrator& tell) {
  tell.step(
      "as `ip netns add nstest`: an empty file; a process that calls unshare(CLONE_NEWNET) and binds /proc/self/ns/net on it");
  Child stage = machine([](Talk& chapter) {
    chapter.say(text(add_nstest()));
    Child unnamed(CLONE_NEWNET, agent);
    ask(unnamed, "links");
    chapter.say(list());
    chapter.say(text(is_namespace(file)));
    const std::uint64_t here = id_of(0, Kind::net);
    const std::uint64_t there = sys::fstat(sys::open(file, O_RDONLY)).st_ino;
    chapter.say(text(there == here || there == id_of(unnamed.pid(), Kind::net)));
    chapter.say(entered().visit([=] { return text(id_of(0, Kind::net) == there); }));
    chapter.say(entered().visit(names_of_links));
    chapter.say(entered().visit([] { return state_of("lo"); }));
    delete_nstest();
    chapter.say(list());
    return 0;
  });
  const auto line = [&] { return stage.talk().line(); };
  tell.show("mount with MS_BIND", line(), is("it succeeds"));
  tell.step("as `ip netns list`: the directory /run/netns. A second namespace has a process in it, and no name");
  tell.show("what is listed", line(), is("nstest"));
  tell.show("is the file a namespace (nsfs)?", line(), is("yes"));
  tell.show("is it one of the other two?", line(), is("no"));
  tell.step("as `ip netns exec nstest ...`: open the file, setns, look around");
  tell.show("is its ns/net that file?", line(), is("yes"));
  tell.show("links", line(), is("lo"));
  tell.show("state of lo", line(), is("down"));
  tell.step("as `ip netns delete nstest`: umount and unlink");
  tell.show("what is listed", line(), is("none"));
  tell.result("a name is a mount and nothing more. Containers have none, so `ip netns list` does not list them.");
}

void ip_netns(Narrator& tell) {
  tell.step("a namespace made by hand, and one made by iproute2; each is looked at by the other side");
  Child stage = machine([](Talk& chapter) {
    chapter.say(text(add_nstest()));
    chapter.say(output_of({"ip", "netns", "list"}));
    const std::uint64_t ours = sys::fstat(sys::open(file, O_RDONLY)).st_ino;
    chapter.say(text(output_of({"ip", "netns", "exec", "nstest", "readlink", "/proc/self/ns/net"}) ==
                     "net:[" + std::to_string(ours) + "]"));
    chapter.say(output_of({"ip", "netns", "delete", "nstest"}));
    chapter.say(output_of({"ip", "netns", "add", "nstest"}));
    chapter.say(text(is_namespace(file)));
    chapter.say(entered().visit(names_of_links));
    return 0;
  });
  const auto line = [&] { return stage.talk().line(); };
  tell.show("by hand", line(), is("it succeeds"));
  tell.show("ip netns list", line(), contains("nstest"));
  tell.show("ip netns exec: the same one?", line(), is("yes"));
  tell.show("ip netns delete nstest says", line(), is("nothing"));
  tell.show("ip netns add nstest says", line(), is("nothing"));
  tell.show("is its file a namespace (nsfs)?", line(), is("yes"));
  tell.show("links in it", line(), is("lo"));
  tell.result("the directory is the interface: whoever mounts a namespace there has named it.");
}

void deletion(Narrator& tell) {
  tell.step("a pair of links, one end in nstest; then umount and unlink of the name. Up to ten times");
  Child stage = machine([](Talk& chapter) {
    std::size_t late = 0, gone = 0, tries = 0;
    std::uint64_t slowest = 0;
    while (late == 0 && tries < 10) {
      ++tries;
      add_nstest();
      make_pair();
      Child inside(0, [](Talk& talk) {
        entered().enter();
        talk.say("ready");
        talk.line();
        return 0;
      });
      inside.talk().line();
      sent(move_link("veth-b", inside.pid()));
      inside.talk().close();
      inside.wait();
      const std::uint64_t begin = sys::monotonic_ns();
      delete_nstest();
      late += has_link("veth-a") ? 1 : 0;
      gone += eventually([] { return !has_link("veth-a"); }) ? 1 : 0;
      slowest = std::max(slowest, sys::monotonic_ns() - begin);
    }
    chapter.say(list());
    chapter.say(text(late > 0));
    chapter.say(text(gone == tries));
    chapter.say(std::to_string(slowest));
    Child process(CLONE_NEWNET, agent);
    sys::symlink(namespaces::path_of(process.pid(), Kind::net), "/run/netns/linked");
    chapter.say(text(is_namespace("/run/netns/linked")));
    process.talk().close();
    process.wait();
    chapter.say(list());
    chapter.say(text(Outcome{raw::call(SYS_openat, AT_FDCWD, "/run/netns/linked", O_RDONLY | O_CLOEXEC)}));
    return 0;
  });
  tell.show("names that are left", stage.talk().line(), is("none"));
  tell.show("was veth-a there right after?", stage.talk().line(), is("yes"));
  tell.show("was it gone in the end?", stage.talk().line(), is("yes"));
  tell.show("until then", Time{std::stoull(stage.talk().line())},
            satisfies("more than nothing", [](const Time& time) { return time.nanoseconds > 0; }));
  tell.step("a symbolic link to /proc/PID/ns/net instead of a mount, as the notes make it in another place; the process ends");
  tell.show("did it lead to a namespace?", stage.talk().line(), is("yes"));
  tell.show("names that are left", stage.talk().line(), is("linked"));
  tell.show("to open it", stage.talk().line(), contains("ENOENT"));
  tell.result("the kernel takes a namespace apart later, by itself. Who reuses a name or an address at once must wait for it.");
}

}  // namespace drydock::chapter::net
