// Where a stack is no ordinary file system: rename, hard links, mappings.
#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>

#include <string>

#include <drydock/kernel/sys.hpp>

#include "experiments.hpp"
#include "shared/bench.hpp"

namespace drydock::chapter::overlay {

namespace {

long rename_in(const char* from, const char* to) {
  return raw::call(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

}  // namespace

void rename_directory(Narrator& tell) {
  Bench bench;
  bench.write("base/lib/one", "1");
  bench.stack("merged", {{"base"}, "upper", "redirect_dir=off"});
  tell.step("rename(\"merged/lib\", \"merged/lib64\"): the directory lies in a lower layer");
  tell.show("rename", bench.call([] { return rename_in("merged/lib", "merged/lib64"); }), fails_with(EXDEV));
  tell.show("merged lists", bench.list("merged"), is("lib"));
  tell.step("a directory that was made up here, and a file of a lower layer");
  bench.write("merged/new/one", "1");
  tell.show("rename of the new directory", bench.call([] { return rename_in("merged/new", "merged/newer"); }), succeeds());
  tell.show("rename of a lower file", bench.call([] { return rename_in("merged/lib/one", "merged/lib/two"); }), succeeds());
  tell.show("upper/lib lists", bench.list("upper/lib"), is("one two"));
  tell.show("base/lib lists", bench.list("base/lib"), is("one"));
  tell.result("EXDEV is what rename says between two file systems, so mv copies and deletes. A program that only renames stops.");
}

void redirect(Narrator& tell) {
  Bench bench;
  bench.write("base/lib/one", "1");
  tell.step("the same with -o redirect_dir=on");
  tell.show("mount", bench.try_stack("merged", {{"base"}, "upper", "redirect_dir=on"}), succeeds());
  tell.show("rename of the lower directory", bench.call([] { return rename_in("merged/lib", "merged/lib64"); }), succeeds());
  tell.show("merged lists", bench.list("merged"), is("lib64"));
  tell.show("merged/lib64/one", bench.read("merged/lib64/one"), is("1"));
  tell.show("upper/lib64 lists", bench.list("upper/lib64"), is("(empty)"));
  tell.show("overlay.redirect of upper/lib64", bench.attribute("upper/lib64", "redirect"), is("lib"));
  tell.step("the upper layer as a lower one of another stack, which may not follow the note");
  bench.unmount("merged");
  bench.stack("merged2", {{"base", "upper"}, "", "redirect_dir=nofollow"});
  tell.show("merged2/lib64/one", bench.read("merged2/lib64/one"), contains("EPERM"));
  tell.result(
      "the directory is not moved: a note in an attribute says where its lower part is. Layers with such notes are no archives.");
}

void hard_links(Narrator& tell) {
  Bench bench;
  bench.write("base/one", "old");
  bench.call([] { return raw::call(SYS_linkat, AT_FDCWD, "base/one", AT_FDCWD, "base/two", 0); });
  bench.stack("merged", {{"base"}, "upper", "index=off"});
  tell.step("one file with two names, one and two, in a lower layer");
  tell.show("link count of merged/one", bench.status("merged/one").st_nlink, is(2));
  tell.show("one and two: the same inode?", bench.status("merged/one").st_ino == bench.status("merged/two").st_ino, is(true));
  tell.step("write merged/one");
  bench.write("merged/one", "new");
  tell.show("merged/one", bench.read("merged/one"), is("new"));
  tell.show("merged/two", bench.read("merged/two"), is("old"));
  tell.show("link count of merged/one", bench.status("merged/one").st_nlink, is(1));
  tell.show("one and two: the same inode?", bench.status("merged/one").st_ino == bench.status("merged/two").st_ino, is(false));
  tell.result("copying up breaks a hard link: two names of one file became two files. Package managers have met that.");
}

void open_before(Narrator& tell) {
  Bench bench;
  bench.write("base/log", "old");
  bench.stack("merged", {{"base"}, "upper"});
  tell.step(
      "merged/log is opened and mapped for reading; then a write copies it up; then the descriptor and the mapping are read");
  const std::string seen = bench.run([] {
    const Fd before = sys::open("merged/log", O_RDONLY);
    const auto* mapped = static_cast<const char*>(sys::mmap_shared(before, 3, false));
    sys::write_all(sys::open("merged/log", O_WRONLY), "new");
    return sys::read_all(before) + " " + std::string(mapped, 3);
  });
  tell.show("the descriptor reads", seen.substr(0, 3), is("new"));
  tell.show("the mapping shows", seen.substr(4), is("old"));
  tell.show("who opens it now reads", bench.read("merged/log"), is("new"));
  tell.step("the file is in the upper layer now: the same once more");
  const std::string again = bench.run([] {
    const Fd before = sys::open("merged/log", O_RDONLY);
    const auto* mapped = static_cast<const char*>(sys::mmap_shared(before, 3, false));
    sys::write_all(sys::open("merged/log", O_WRONLY), "NEW");
    return sys::read_all(before) + " " + std::string(mapped, 3);
  });
  tell.show("the mapping shows", again.substr(4), is("NEW"));
  tell.result(
      "a descriptor follows the copy since Linux 4.19, a mapping stays with the lower file: two contents under one name.");
}

}  // namespace drydock::chapter::overlay
