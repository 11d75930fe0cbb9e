// One user, two numbers: what each side sees.
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <optional>
#include <string>

#include <drydock/kernel/sys.hpp>
#include <drydock/namespaces/kinds.hpp>

#include "experiments.hpp"
#include "experiments/people.hpp"
#include "shared/payload.hpp"

namespace drydock::chapter::user {

using namespaces::id_of;
using namespaces::Kind;

namespace {

std::string proc(pid_t pid, const std::string& name) {
  return "/proc/" + std::to_string(pid) + "/" + name;
}

// As the caller sees it; links of /proc are followed.
std::string owner_of(const std::string& path) {
  struct stat status;
  return ::stat(path.c_str(), &status) == 0 ? std::to_string(status.st_uid) : "none";
}

}  // namespace

void not_by_default(Narrator& tell) {
  tell.step("the container of chapter 06, which has every namespace but this one: Docker's default");
  Payload plain(tell, sketch_of(6, request_of_this_user()));
  tell.show("user namespace", Sides{id_of(0, Kind::user), id_of(plain.pid(), Kind::user)}, same());
  tell.show("uid_map", Sides{map_of("/proc/self/uid_map"), map_of(proc(plain.pid(), "uid_map"))}, same());
  tell.show("its root is, outside, uid", plain.facts().status.uids[1], is(0u));
  tell.step("the container of this chapter");
  Payload mapped(tell, sketch_of(7, request_of_this_user()));
  tell.show("user namespace", Sides{id_of(0, Kind::user), id_of(mapped.pid(), Kind::user)}, differ());
  tell.show("uid_map", map_of(proc(mapped.pid(), "uid_map")), is("0 100000 65536"));
  tell.show("its root is, outside, uid", mapped.facts().status.uids[1], is(range_start));
  tell.result("\"each container has its own users\" holds with a user namespace only. Without one, root inside is root.");
}

void remapped(Narrator& tell) {
  tell.step("two containers of this chapter; in each, root makes a file");
  Payload one(tell, sketch_of(7, request_of_this_user({"sh"}))), two(tell, sketch_of(7, request_of_this_user({"sh"})));
  for (Payload* payload : {&one, &two}) payload->talk().say(": > /dev/shm/roots; id -u");
  tell.show("id -u in the first", one.talk().line(), is("0"));
  tell.show("id -u in the second", two.talk().line(), is("0"));
  tell.show("the first one's belongs to, outside", owner_of(proc(one.pid(), "root/dev/shm/roots")), is("100000"));
  tell.show("the second one's", owner_of(proc(two.pid(), "root/dev/shm/roots")), is("100000"));
  tell.step("a user of the first container, uid 1000, makes one");
  one.talk().say("setpriv --reuid 1000 --clear-groups sh -c ': > /dev/shm/users; id -u'");
  tell.show("id -u", one.talk().line(), is("1000"));
  tell.show("that file belongs to, outside", owner_of(proc(one.pid(), "root/dev/shm/users")), is("101000"));
  tell.result("Docker's userns-remap is this map. One range for all keeps containers from the host, not from each other.");
}

void files(Narrator& tell) {
  const Resident resident;
  tell.step("root of a user namespace makes a file (without a name, in /tmp) and asks for owners; so does the host");
  Child root = resident.guest([](Talk& chapter) {
    const Fd file = sys::open("/tmp", O_TMPFILE | O_RDWR, 0600);
    const std::string own = "/proc/self/fd/" + std::to_string(file.get());
    chapter.say(std::to_string(file.get()));
    chapter.say(owner_of(own));
    chapter.say(owner_of("/etc/passwd"));
    chapter.say(text(Outcome{raw::call(SYS_fchownat, AT_FDCWD, "/etc/passwd", 0, 0, 0)}));
    chapter.say(text(Outcome{raw::call(SYS_fchmod, file.get(), 04755)}));
    chapter.line();
    return 0;
  });
  const std::string file = proc(root.pid(), "fd/" + root.talk().line());
  tell.show("owner of its file", Sides{owner_of(file), root.talk().line()},
            are(std::to_string(resident.outside_id()), std::string("0")));
  tell.show("of /etc/passwd", Sides{owner_of("/etc/passwd"), root.talk().line()}, are("0", "65534"));
  tell.step("it takes what it thinks is its own");
  tell.show("chown(\"/etc/passwd\", 0, 0)", root.talk().line(), contains("EPERM"));
  tell.show("chmod 4755 of its own file", root.talk().line(), is("it succeeds"));
  tell.show("whoever runs it becomes, outside", owner_of(file), is(std::to_string(resident.outside_id())));
  tell.result(
      "the disk holds the outer number; each side reads it through its map. What has no number inside is 65534, and nobody's.");
}

namespace {

// User namespaces one in the other, each with "0 0 1": says for each how it went, and its own view of its map.
int go_deeper(Talk& chapter, int depth) {
  std::optional<Child> inner;
  const long made = Child::start(
      CLONE_NEWUSER, [=](Talk& outer) { return go_deeper(outer, depth + 1); }, inner);
  if (raw::failed(made)) {
    chapter.say(std::to_string(depth) + " " + text(Outcome{made}));
    return 0;
  }
  chapter.say(inner->talk().line());
  return 0;
}

}  // namespace

void nested(Narrator& tell) {
  const Resident outer;
  tell.step("in a user namespace whose 0 is our range, root makes another one, with \"0 0 1\"");
  Child inner = outer.guest([](Talk& chapter) {
    std::optional<Child> child;
    Child::start(
        CLONE_NEWUSER,
        [](Talk& talk) {
          talk.say("mapped");
          talk.line();
          return 0;
        },
        child);
    child->talk().line();
    chapter.say(std::to_string(child->pid()));
    chapter.say(map_of(proc(child->pid(), "uid_map")));
    chapter.line();
    return 0;
  });
  const pid_t pid = std::stoi(inner.talk().line());
  tell.show("the inner map, read in the outer", inner.talk().line(), is("0 0 1"));
  tell.show("the same file, read on the host", map_of(proc(pid, "uid_map")),
            is("0 " + std::to_string(outer.outside_id()) + " 1"));
  tell.step("deeper and deeper, until the kernel refuses");
  Child deep(0, [](Talk& chapter) { return go_deeper(chapter, 0); });
  const std::string said = deep.talk().line();
  tell.show("levels below this one", std::stoi(said), at_most(33));
  tell.show("the next one", said.substr(said.find(' ') + 1), contains("ENOSPC"));
  tell.result("a map names ids of the parent, so no level can give what the one above it has not. 33 levels are the limit.");
}

}  // namespace drydock::chapter::user
