// Chapter 07: the user namespace. Who is root, where, and what of.
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <drydock/kernel/sys.hpp>
#include <drydock/namespaces/kinds.hpp>

#include "experiments.hpp"
#include "experiments/people.hpp"
#include "shared/chapter.hpp"
#include "shared/look.hpp"
#include "shared/payload.hpp"

namespace drydock::chapter::user {

using namespaces::id_of;
using namespaces::Kind;

void story(Narrator& tell) {
  const std::string outside = std::to_string(sys::geteuid() == 0 ? range_start : sys::geteuid());
  tell.question(
      "a process is root of a new user namespace. What is its uid on the host, and may it still name machines, make devices, and "
      "signal process 1?");
  tell.step(
      "clone3(CLONE_NEWUSER | ...); write its gid_map and uid_map; in the child: setresgid(0), setresuid(0), execve(\"cat\")");
  Payload payload(tell, sketch_of(7, request_of_this_user()));
  const auto inside = [&](const std::function<std::string()>& look) { return as_root_of(payload.pid(), {Kind::uts}, look); };
  const auto uid_of_cat = [&] { return std::to_string(std::stoul(status_field(payload.pid(), "Uid"))); };
  const auto owner_of_passwd = [] { return std::to_string(sys::lstat("/etc/passwd")->st_uid); };
  tell.show("user namespace", Sides{id_of(0, Kind::user), id_of(payload.pid(), Kind::user)}, differ());
  tell.show("uid of cat", Sides{uid_of_cat(), inside(uid_of_cat)}, are(outside, std::string("0")));
  tell.show("of /etc/passwd", Sides{owner_of_passwd(), inside(owner_of_passwd)}, are("0", "65534"));
  tell.show("effective capabilities of cat", effective_capabilities(payload.pid()), is("all"));
  tell.step("root in there uses them");
  const auto outcome = [&](long (*act)()) { return inside([=] { return text(Outcome{act()}); }); };
  tell.show("sethostname, its UTS namespace", outcome([] { return raw::call(SYS_sethostname, "mine", 4); }), is("it succeeds"));
  tell.show("make a device node",
            outcome([] { return raw::call(SYS_mknodat, AT_FDCWD, "/dev/shm/null", S_IFCHR | 0600, 0x103); }), contains("EPERM"));
  tell.show("signal process 1 of the host", outcome([] { return raw::call(SYS_kill, 1, 0); }), contains("EPERM"));
  tell.step("the program ends");
  tell.show("exit status of cat", payload.end(), is(0));
  tell.result("root is a number in a map. Its powers reach as far as the namespaces that its own user namespace owns.");
}

const std::vector<Experiment> experiments = {
    {"before-the-map",
     "Who is a process whose user namespace has no map yet?",
     {"N1-148", "U-07"},
     {needs::namespaces()},
     before_the_map},
    {"who-may-write", "Which maps may an ordinary user write?", {"U-07"}, {ordinary_users_may()}, who_may_write},
    {"setgroups",
     "Why must an ordinary user give up setgroups before the gid map?",
     {"U-07"},
     {ordinary_users_may()},
     setgroups_rule},
    {"files", "Root of a container makes a file. Who owns it on the host?", {"N0-091", "U-07"}, {needs::namespaces()}, files},
    {"not-by-default", "Has each container users of its own?", {"N0-091", "E-042"}, {needs::root()}, not_by_default},
    {"capabilities",
     "Root of a user namespace has every capability. Why can it mount nothing?",
     {"U-07"},
     {needs::namespaces()},
     capabilities},
    {"without-root", "Which namespaces can be made without root?", {"U-07"}, {ordinary_users_may()}, without_root},
    {"exec-unmapped", "When are the capabilities of a new user namespace lost?", {}, {ordinary_users_may()}, exec_unmapped},
    {"one-id-or-range",
     "What is a user namespace with one id good for, and what not?",
     {"U-07"},
     {needs::root(), ordinary_users_may()},
     one_id_or_range},
    {"groups-that-deny",
     "What could somebody do who may drop a group?",
     {},
     {needs::root(), ordinary_users_may()},
     groups_that_deny},
    {"remapped",
     "Two containers with mapped ids: are they apart from each other, too?",
     {"N0-091", "U-07"},
     {needs::root()},
     remapped},
    {"nested",
     "A user namespace in a user namespace: what can it map, and how deep does it go?",
     {"U-07"},
     {needs::namespaces()},
     nested},
    {"cannot", "What can root of a container not do?", {"U-07"}, {needs::namespaces()}, cannot},
    {"locked-mounts",
     "Can root of a user namespace look below a mount that it did not make?",
     {},
     {needs::namespaces()},
     locked_mounts},
    {"owner", "Who has power over a user namespace from outside, and can one leave it?", {}, {needs::namespaces()}, owner},
    {"all-without-root",
     "How much of chapters 02 to 06 works for an ordinary user?",
     {"U-07"},
     {ordinary_users_may()},
     all_without_root},
};

}  // namespace drydock::chapter::user

int main(int argc, char** argv) {
  using namespace drydock::chapter;
  return drydock::chapter::main(
      {.number = 7,
       .name = "user",
       .idea = "root inside, nobody outside: ids are numbers in a map, and capabilities belong to a namespace",
       .story = user::story,
       .needs = {needs::namespaces()},
       .experiments = user::experiments},
      argc, argv);
}
