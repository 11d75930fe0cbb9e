// Chapter 04: a list of mounts of one's own, and a root of which nothing leads back.
#include <drydock/kernel/sys.hpp>
#include <drydock/namespaces/kinds.hpp>

#include "experiments.hpp"
#include "experiments/stage.hpp"
#include "shared/chapter.hpp"
#include "shared/child.hpp"
#include "shared/payload.hpp"

namespace drydock::chapter::mnt {

using namespaces::id_of;
using namespaces::Kind;

namespace {

std::string names_in_root() {
  std::string all;
  for (const std::string& name : sys::list_directory("/")) all += (all.empty() ? "" : " ") + name;
  return all;
}

std::string first_mount() {
  for (const facts::Mount& mount : mounts())
    if (mount.target == "/") return mount.type;
  return "none";
}

About lines(std::size_t mounts) {
  return {static_cast<double>(mounts), "mounts"};
}

}  // namespace

void story(Narrator& tell) {
  tell.question(
      "a process gets a mount namespace of its own: CLONE_NEWNS, and nothing else. How many of the host's mounts does it still "
      "see?");
  tell.step("clone3(CLONE_NEWNS), then it mounts a file system on /mnt");
  Child bare = on_stage([](Talk& chapter) {
    chapter.say(std::to_string(mounts().size()));
    return chapter.line().empty() ? 0 : 1;
  });
  const std::size_t seen = std::stoul(bare.talk().line());
  tell.show("mnt namespace", Sides{id_of(0, Kind::mnt), id_of(bare.pid(), Kind::mnt)}, differ());
  tell.show("mounts", Sides{lines(mounts().size()), lines(seen - 1)}, same());
  tell.show("and on /mnt?", Sides{is_mounted("/mnt"), seen > mounts().size()}, are(false, true));
  tell.step(
      "the container of this chapter: an empty root with the host's /usr, mounts of its own, pivot_root; then execve(\"cat\")");
  Payload payload(tell, sketch_of(4, request_of_this_user()));
  const auto inside = [&](const std::function<std::string()>& look) {
    return visit(payload.pid(), {Kind::user, Kind::mnt, Kind::pid}, look);
  };
  tell.show("names in /", inside(names_in_root), is("bin dev lib lib64 proc sbin sys usr"));
  tell.show("what / is", inside(first_mount), is("tmpfs"));
  tell.show("/etc/passwd", Sides{sys::exists("/etc/passwd"), inside([] { return text(sys::exists("/etc/passwd")); }) == "yes"},
            are(true, false));
  tell.show("a write to /usr", inside([] { return text(write_to("/usr/drydock", "x")); }), contains("EROFS"));
  tell.show("entries of its /dev", inside([] { return std::to_string(sys::list_directory("/dev").size()); }), is("14"));
  tell.step("the program ends, and with its last process the namespace and every mount in it");
  tell.show("exit status of cat", payload.end(), is(0));
  tell.show("mounts more on the host", mounts().size() + 1 - seen, is(0));
  tell.result(
      "a new namespace hides nothing: it makes it possible to change the list unseen. The root is changed by pivot_root.");
}

const std::vector<Experiment> experiments = {
    {"copy", "What is in a mount namespace when it is new?", {"N0-088", "N1-147", "E-039", "U-03"}, {needs::namespaces()}, copy},
    {"chroot-list",
     "Both chroot and a mount namespace shorten /proc/mounts. Do they do the same?",
     {"N0-088", "N0-089", "E-040"},
     {needs::namespaces()},
     chroot_list},
    {"puzzle",
     "Two mount namespaces, four kinds of propagation: who sees whose mounts?",
     {"E-040", "U-03"},
     {needs::namespaces()},
     puzzle},
    {"escape",
     "A process in a chroot wants out. Can it, and does pivot_root help?",
     {"N4-007", "E-041", "U-03"},
     {needs::namespaces()},
     escape},
    {"read-only-bind", "mount --bind -o ro: who may still write?", {}, {needs::namespaces()}, read_only_bind},
    {"masks", "Which files of /proc tell about the whole machine, and what hides them?", {}, {needs::namespaces()}, masks},
    {"from-outside",
     "The notes start a container to show a mount namespace. What is there to see?",
     {"N1-193", "U-03"},
     {needs::namespaces()},
     from_outside},
    {"detached", "May a mount exist that is mounted nowhere?", {}, {needs::namespaces()}, detached},
    {"leak", "A mount namespace of its own, and still the host sees its mounts. Why?", {"E-040"}, {needs::namespaces()}, leak},
    {"same-files", "Two mount namespaces: two copies of the files?", {"N0-088"}, {needs::namespaces()}, same_files},
    {"pivot-refuses", "Which roots does pivot_root refuse?", {"N4-007"}, {needs::namespaces()}, pivot_refuses},
    {"old-root", "After pivot_root, where is the old root?", {"N4-007", "E-041"}, {needs::namespaces()}, old_root},
    {"devices", "Which devices does a container need?", {}, {needs::namespaces()}, devices},
    {"unbindable", "A tree is bound into itself three times. How many mounts are there?", {}, {needs::namespaces()}, unbindable},
    {"busy", "A file system is in use. Can it be unmounted?", {}, {needs::namespaces()}, busy},
    {"hidden", "What becomes of the files below a mount point?", {}, {needs::namespaces()}, hidden},
    {"pin-itself", "Can a mount namespace be pinned like the others?", {"U-10"}, {needs::namespaces()}, pin_itself},
    {"same-name", "Two containers called alpine1, two with port 80?", {"N1-193", "E-100"}, {needs::namespaces()}, same_name},
};

}  // namespace drydock::chapter::mnt

int main(int argc, char** argv) {
  using namespace drydock::chapter;
  return drydock::chapter::main({.number = 4,
                                 .name = "mnt",
                                 .idea = "a list of mounts of one's own, and a root of which nothing leads back",
                                 .story = mnt::story,
                                 .needs = {needs::namespaces()},
                                 .experiments = mnt::experiments},
                                argc, argv);
}
