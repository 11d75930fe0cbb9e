// Chapter 09: overlay. Read-only layers below, one writable layer on top, and one view of all.
#include <drydock/facts/snapshot.hpp>
#include <drydock/namespaces/kinds.hpp>

#include "experiments.hpp"
#include "shared/bench.hpp"
#include "shared/chapter.hpp"
#include "shared/payload.hpp"

namespace drydock::chapter::overlay {

namespace {

std::string type_of_root(const Payload& payload) {
  for (const facts::Mount& mount : payload.facts().mounts)
    if (mount.target == "/") return mount.type;
  return "none";
}

}  // namespace

void story(Narrator& tell) {
  tell.question(
      "a container overwrites /motd and deletes /release. Both files come from read-only layers. What is in those layers "
      "afterwards, and what in the writable one?");
  tell.step("mount(\"overlay\", ..., \"lowerdir=app:base,upperdir=upper,workdir=work\"), pivot_root into it, execve(\"sh\")");
  Payload payload(tell, sketch_of(9, request_of_this_user({"sh"})));
  const auto answer = [&](const char* command) {
    payload.talk().say(command);
    return payload.talk().line();
  };
  tell.show("mnt namespace",
            Sides{namespaces::id_of(0, namespaces::Kind::mnt), namespaces::id_of(payload.pid(), namespaces::Kind::mnt)},
            differ());
  tell.show("file system of its /", type_of_root(payload), is("overlay"));
  tell.show("/motd, which base and app have", answer("cat /motd"), is("of the app"));
  tell.show("/release, which base has", answer("cat /release"), is("of the base"));
  tell.show("files in the writable layer", answer("ls /layers/upper | wc -l"), is("0"));
  tell.step("in the container: echo changed > /motd; rm /release");
  tell.show("ls /motd /release", answer("echo changed > /motd; rm /release; ls /motd /release 2>/dev/null"), is("/motd"));
  tell.show("/motd", answer("cat /motd"), is("changed"));
  tell.step("look into the layers");
  tell.show("app/motd", answer("cat /layers/app/motd"), is("of the app"));
  tell.show("base/release", answer("cat /layers/base/release"), is("of the base"));
  tell.show("the writable layer lists", answer("echo $(ls /layers/upper)"), is("motd release"));
  tell.show("its release is", answer("stat -c '%F %t:%T' /layers/upper/release"), is("character special file 0:0"));
  tell.show("exit status of sh", payload.end(), is(0));
  tell.result("layers below are read, never written. A changed file is copied up first, a deleted one is hidden by a whiteout.");
}

const std::vector<Experiment> experiments = {
    {"two-layers",
     "Two directories hold a file of the same name. Which one does the stack show?",
     {"N0-096", "U-24"},
     {needs::namespaces(), layers()},
     two_layers},
    {"copy-up",
     "One byte of a file of 20 MiB is changed. How much is copied, and when?",
     {"N0-096", "N3-039", "E-055", "U-24"},
     {needs::namespaces(), layers()},
     copy_up},
    {"whiteout",
     "A file of the image is deleted in a container. What is left of it, and where?",
     {"N0-099", "E-054", "U-24"},
     {needs::namespaces(), layers()},
     whiteout},
    {"opaque",
     "A directory is deleted and made anew. How is the old content kept out?",
     {"N0-099", "E-054", "U-24"},
     {needs::namespaces(), layers()},
     opaque},
    {"writable-layer",
     "Where do the changes of a container go, and who sees them?",
     {"N0-010", "N3-007", "N3-037", "E-062"},
     {needs::namespaces(), layers()},
     writable_layer},
    {"not-union",
     "Six names stand in the notes' list of union file systems. Which of them unite directories?",
     {"N0-100", "E-052"},
     {needs::namespaces(), layers()},
     not_union},
    {"rename-directory", "Can a directory of the image be renamed?", {"U-24"}, {needs::namespaces(), layers()}, rename_directory},
    {"many-layers", "How many layers can be stacked?", {"N0-096"}, {needs::namespaces(), layers()}, many_layers},
    {"read-only", "What is an overlay without a writable layer?", {"U-24"}, {needs::namespaces(), layers()}, read_only},
    {"base", "Which layer is the base image, and how does it know?", {"N0-097"}, {needs::namespaces(), layers()}, base},
    {"shared-base",
     "Ten containers on a base of 20 MiB: how much disk do they take?",
     {"N0-098", "U-24"},
     {needs::namespaces(), layers()},
     shared_base},
    {"metadata", "Does a change of mode copy a file?", {"E-055"}, {needs::namespaces(), layers()}, metadata},
    {"whole-copy",
     "What does a container cost with overlay, and with a plain copy?",
     {"N0-100", "E-052"},
     {needs::namespaces(), layers()},
     whole_copy},
    {"storage-drivers",
     "Which of the recommended storage drivers does this kernel have?",
     {"N0-101", "N0-102", "N0-105", "E-053"},
     {needs::namespaces(), layers()},
     storage_drivers},
    {"redirect", "How can a directory of the image be renamed after all?", {"U-24"}, {needs::root()}, redirect},
    {"hard-links",
     "Two names of one file in the image; one is written. What does the other show?",
     {},
     {needs::namespaces(), layers()},
     hard_links},
    {"open-before",
     "A file is open and mapped when a write copies it up. Which content do both show?",
     {},
     {needs::namespaces(), layers()},
     open_before},
};

}  // namespace drydock::chapter::overlay

int main(int argc, char** argv) {
  using namespace drydock::chapter;
  return drydock::chapter::main(
      {.number = 9,
       .name = "overlay",
       .idea = "read-only layers below, one writable layer on top: what a container changes",
       .story = overlay::story,
       .needs = {needs::namespaces(), layers()},
       .experiments = overlay::experiments,
       .not_shown =
           {{"N0-103",
             "a row of the table for CentOS: nothing of it is on this machine; storage-drivers shows the driver it names"},
            {"N0-104",
             "a row of the table for Fedora: nothing of it is on this machine; storage-drivers shows the driver it names"}}},
      argc, argv);
}
