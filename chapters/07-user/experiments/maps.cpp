// uid_map, gid_map and setgroups: what they mean, and who may write them.
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <string>

#include <drydock/kernel/sys.hpp>

#include "experiments.hpp"
#include "experiments/people.hpp"
#include "shared/look.hpp"

namespace drydock::chapter::user {

namespace {

std::string proc(pid_t pid, const char* name) {
  return "/proc/" + std::to_string(pid) + "/" + name;
}

Outcome new_user_namespace() {
  return {raw::call(SYS_unshare, CLONE_NEWUSER)};
}

std::string one_line(std::uint32_t inside, std::uint32_t outside, std::uint32_t count) {
  return std::to_string(inside) + " " + std::to_string(outside) + " " + std::to_string(count) + "\n";
}

// A child in a user namespace without a map, made by an ordinary user; then `body`.
Child unmapped(const Body& body) {
  return Child(0, [=](Talk& chapter) {
    become_ordinary();
    new_user_namespace();
    return body(chapter);
  });
}

// Runs `sleep` in a user namespace, with a map or without, and gives back what it can do once it runs.
std::string capabilities_of_program(bool with_map) {
  Child child = unmapped([=](Talk& chapter) {
    chapter.say("unshared");
    chapter.line();
    char* const argv[] = {const_cast<char*>("sleep"), const_cast<char*>("60"), nullptr};
    ::execvp(argv[0], argv);
    return 1;
  });
  child.talk().line();
  const auto outside = static_cast<std::uint32_t>(sys::geteuid() == 0 ? nobody : sys::geteuid());
  if (with_map) write_once(proc(child.pid(), "uid_map"), one_line(0, outside, 1));
  child.talk().say("go");
  eventually([&] { return status_field(child.pid(), "Name") == "sleep"; });
  return effective_capabilities(child.pid());
}

constexpr unsigned kept_out = 4242;

std::string try_to_open(const Fd& file) {
  const long fd = raw::call(SYS_openat, AT_FDCWD, ("/proc/self/fd/" + std::to_string(file.get())).c_str(), O_RDONLY | O_CLOEXEC);
  if (raw::failed(fd)) return text(Outcome{fd});
  raw::call(SYS_close, fd);
  return text(Outcome{0});
}

// A member of the group: tries the file, goes into a user namespace, drops its groups, and tries once more.
int member_of_kept_out(Talk& chapter, const Fd& file) {
  const gid_t groups[] = {kept_out};
  become_ordinary(groups);
  chapter.say(try_to_open(file));
  new_user_namespace();
  chapter.say("unshared");
  if (chapter.line() == "write it yourself") {
    write_once("/proc/self/setgroups", "deny");
    write_once("/proc/self/gid_map", one_line(0, nobody, 1));
    write_once("/proc/self/uid_map", one_line(0, nobody, 1));
  }
  chapter.say(text(Outcome{raw::call(SYS_setgroups, 0, nullptr)}));
  chapter.say(try_to_open(file));
  return 0;
}

}  // namespace

void before_the_map(Narrator& tell) {
  tell.step("unshare(CLONE_NEWUSER); nobody has written a map yet");
  Child child(0, [](Talk& chapter) {
    chapter.say(text(new_user_namespace()));
    for (int times = 0; times < 2; ++times) {
      chapter.say(std::to_string(::geteuid()) + " " + std::to_string(::getegid()));
      chapter.say(effective_capabilities());
      chapter.line();
    }
    return 0;
  });
  tell.show("unshare", child.talk().line(), is("it succeeds"));
  tell.show("uid and gid in there", child.talk().line(), is("65534 65534"));
  tell.show("effective capabilities", child.talk().line(), is("all"));
  tell.show("its uid_map", map_of(proc(child.pid(), "uid_map")), is("(empty)"));
  tell.show("the overflow uid of this kernel", map_of("/proc/sys/kernel/overflowuid"), is("65534"));
  tell.step("from outside: setgroups gets \"deny\", gid_map and uid_map one line each: 0 is the user who made it");
  tell.show("write setgroups", write_once(proc(child.pid(), "setgroups"), "deny"), succeeds());
  tell.show("write gid_map", write_once(proc(child.pid(), "gid_map"), one_line(0, ::getegid(), 1)), succeeds());
  tell.show("write uid_map", write_once(proc(child.pid(), "uid_map"), one_line(0, sys::geteuid(), 1)), succeeds());
  child.talk().say("look again");
  tell.show("uid and gid in there", child.talk().line(), is("0 0"));
  tell.show("effective capabilities", child.talk().line(), is("all"));
  tell.result("the process has not changed: its ids have been given numbers. 65534 is what an id without a number looks like.");
}

void exec_unmapped(Narrator& tell) {
  tell.step("unshare(CLONE_NEWUSER) gives every capability. Then the process executes a program, without a map and with one");
  tell.show("executed without a map, it has", capabilities_of_program(false), is("none"));
  tell.show("executed as mapped root, it has", capabilities_of_program(true), is("all"));
  tell.result(
      "execve keeps capabilities for uid 0 only. The map comes before the program: that is why unshare(1) has --map-root-user.");
}

void who_may_write(Narrator& tell) {
  tell.step("an ordinary user unshares a user namespace, and tries maps");
  Child child = unmapped([](Talk& chapter) {
    const auto own = static_cast<std::uint32_t>(std::stoul(chapter.line()));
    for (const std::string& map : {one_line(0, 0, 1), one_line(0, own, 2), one_line(0, own, 1) + one_line(1, own + 1, 1),
                                   one_line(0, own, 1), one_line(0, own, 1)})
      chapter.say(text(write_once("/proc/self/uid_map", map)));
    return 0;
  });
  child.talk().say(std::to_string(sys::geteuid() == 0 ? nobody : sys::geteuid()));
  tell.show("0 is root of the host", child.talk().line(), contains("EPERM"));
  tell.show("two ids, one is somebody else's", child.talk().line(), contains("EPERM"));
  tell.show("two lines", child.talk().line(), contains("EPERM"));
  tell.show("0 is the user's own id", child.talk().line(), contains("succeeds"));
  tell.show("the same once more", child.talk().line(), contains("EPERM"));
  tell.result(
      "without privilege: one line, one id, one's own, once. More takes root, or newuidmap(1) and a line in /etc/subuid.");
}

void one_id_or_range(Narrator& tell) {
  const auto owner_change = [](std::uint32_t id) {
    const Fd file = sys::open("/tmp", O_TMPFILE | O_RDWR, 0600);
    return raw::call(SYS_fchown, file.get(), id, -1);
  };
  tell.step("a user namespace with one id");
  Child single = unmapped([&](Talk& chapter) {
    const std::string own = chapter.line();
    write_once("/proc/self/uid_map", "0 " + own + " 1");
    chapter.say(map_of("/proc/self/uid_map") == "0 " + own + " 1" ? "one id" : "another");
    for (const std::uint32_t id : {0u, 1u}) chapter.say(text(Outcome{owner_change(id)}));
    chapter.say(text(Outcome{raw::call(SYS_setresuid, 1, 1, 1)}));
    return 0;
  });
  single.talk().say(std::to_string(sys::geteuid() == 0 ? nobody : sys::geteuid()));
  tell.show("its map", single.talk().line(), is("one id"));
  tell.show("chown to 0", single.talk().line(), is("it succeeds"));
  tell.show("chown to 1", single.talk().line(), contains("EINVAL"));
  tell.show("setresuid(1)", single.talk().line(), contains("EINVAL"));
  tell.step("a user namespace with 65536 ids, whose map root wrote: \"0 100000 65536\"");
  const Resident range;
  tell.show("chown to 1", range.call([&] { return owner_change(1); }), succeeds());
  tell.show("chown to 65536: it has no number", range.call([&] { return owner_change(range_length); }), fails_with(EINVAL));
  tell.show("setresuid(1)", range.call([] { return raw::call(SYS_setresuid, 1, 1, 1); }), succeeds());
  tell.result("an image with files of several users needs a range: with one id, unpacking it fails at the first chown.");
}

void setgroups_rule(Narrator& tell) {
  tell.step("an ordinary user unshares a user namespace and writes gid_map, with and without giving up setgroups");
  Child child = unmapped([](Talk& chapter) {
    const std::string map = "0 " + chapter.line() + " 1";
    chapter.say(text(write_once("/proc/self/gid_map", map)));
    chapter.say(text(write_once("/proc/self/setgroups", "deny").failed() ? Outcome{-EPERM} : Outcome{0}));
    chapter.say(text(write_once("/proc/self/gid_map", map).failed() ? Outcome{-EPERM} : Outcome{0}));
    chapter.say(text(Outcome{raw::call(SYS_setgroups, 0, nullptr)}));
    chapter.say(text(write_once("/proc/self/setgroups", "allow")));
    return 0;
  });
  child.talk().say(std::to_string(sys::geteuid() == 0 ? nobody : ::getegid()));
  tell.show("gid_map while setgroups is \"allow\"", child.talk().line(), contains("EPERM"));
  tell.show("setgroups = \"deny\"", child.talk().line(), is("it succeeds"));
  tell.show("gid_map", child.talk().line(), is("it succeeds"));
  tell.show("setgroups(2) from now on", child.talk().line(), contains("EPERM"));
  tell.show("setgroups = \"allow\" again", child.talk().line(), contains("EPERM"));
  tell.result(
      "root of a namespace that its own user mapped cannot drop a group. groups-that-deny shows what it would be good for.");
}

void groups_that_deny(Narrator& tell) {
  tell.step("a file that all may read but group 4242 (mode 0604), and two ordinary members of that group");
  const Fd file = sys::open("/tmp", O_TMPFILE | O_RDWR, 0600);
  raw::call(SYS_fchown, file.get(), 0, kept_out);
  raw::call(SYS_fchmod, file.get(), 0604);
  const auto member = [&](Talk& chapter) { return member_of_kept_out(chapter, file); };
  Child by_itself(0, member), by_root(0, member);
  tell.show("it opens the file", by_itself.talk().line(), contains("EACCES"));
  tell.show("the other one", by_root.talk().line(), contains("EACCES"));
  for (Child* child : {&by_itself, &by_root}) child->talk().line();  // it has unshared
  tell.step("the first maps its own user namespace, and must deny setgroups for that; the other's map is written by root");
  for (const char* name : {"gid_map", "uid_map"}) write_once(proc(by_root.pid(), name), one_line(0, nobody, 1));
  by_itself.talk().say("write it yourself");
  by_root.talk().say("it is written");
  tell.show("setgroups() to no group", by_itself.talk().line(), contains("EPERM"));
  tell.show("it opens the file", by_itself.talk().line(), contains("EACCES"));
  tell.show("the other one: setgroups()", by_root.talk().line(), is("it succeeds"));
  tell.show("it opens the file", by_root.talk().line(), is("it succeeds"));
  tell.result("a group can take away. Before CVE-2014-8989 every user could shake one off in a namespace of their own.");
}

}  // namespace drydock::chapter::user
