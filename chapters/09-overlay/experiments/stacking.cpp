// Many directories, one view: what is where, how many, and who pays for the base.
#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>

#include <string>

#include <drydock/kernel/sys.hpp>

#include "experiments.hpp"
#include "shared/bench.hpp"

namespace drydock::chapter::overlay {

namespace {

constexpr std::uint64_t mebibyte = 1024 * 1024;

std::string numbered(const char* name, int number) {
  return name + std::to_string(number);
}

// The lower directories that the kernel names for a mount, highest first.
std::string lowers_of(Bench& bench, const std::string& place) {
  return bench.run([&] {
    const std::string line = "/mnt/" + place + " ";
    const std::string all = sys::read_file("/proc/self/mountinfo");
    const std::size_t begin = all.find("lowerdir", all.find(line));
    std::string words = all.substr(begin, all.find_first_of(",\n", begin) - begin);
    return words.substr(words.find('=') + 1);
  });
}

}  // namespace

void two_layers(Narrator& tell) {
  Bench bench;
  bench.write("base/hosts", "of the base");
  bench.write("base/motd", "of the base");
  bench.write("app/motd", "of the app");
  bench.write("app/run", "of the app");
  tell.step("mount -t overlay overlay -o lowerdir=app:base,upperdir=upper,workdir=upper.work merged");
  tell.show("mount", bench.try_stack("merged", {{"base", "app"}, "upper"}), succeeds());
  tell.show("merged lists", bench.list("merged"), is("hosts motd run"));
  tell.show("merged/hosts", bench.read("merged/hosts"), is("of the base"));
  tell.show("merged/motd, which both have", bench.read("merged/motd"), is("of the app"));
  tell.step("write merged/motd, and a file that is new");
  bench.write("merged/motd", "of the container");
  bench.write("merged/new", "of the container");
  tell.show("merged/motd", bench.read("merged/motd"), is("of the container"));
  tell.show("app/motd", bench.read("app/motd"), is("of the app"));
  tell.show("upper lists", bench.list("upper"), is("motd new"));
  tell.step("umount merged: the view is gone, the directories are what they are");
  tell.show("umount", bench.unmount("merged"), succeeds());
  tell.show("merged lists", bench.list("merged"), is("(empty)"));
  tell.show("upper/motd", bench.read("upper/motd"), is("of the container"));
  tell.result("a look-up goes from the highest layer down and takes what it finds first. Nothing was copied to make the view.");
}

void many_layers(Narrator& tell) {
  Bench bench;
  const auto stack_of = [&](int count) {
    Layers layers;
    for (int number = 1; number <= count; ++number) layers.lowers.push_back(std::to_string(number));
    return layers;
  };
  tell.step("500 directories 1, 2, 3, ...; each holds a file with its own name, and one that all of them have");
  bench.run([] {
    for (int number = 1; number <= 501; ++number) {
      const std::string name = std::to_string(number);
      sys::mkdirs(name);
      sys::replace_file(name + "/" + numbered("of", number), name);
      sys::replace_file(name + "/top", name);
    }
    return std::string();
  });
  tell.show("a stack of 3", bench.try_stack("three", stack_of(3)), succeeds());
  tell.show("it lists", bench.list("three"), is("of1 of2 of3 top"));
  tell.show("a stack of 500", bench.try_stack("all", stack_of(500)), succeeds());
  tell.show("the file that all have", bench.read("all/top"), is("500"));
  tell.show("a file of the lowest", bench.read("all/of1"), is("1"));
  tell.show("a stack of 501", bench.try_stack("more", stack_of(501)), fails_with(EINVAL));
  tell.result("500 is OVL_MAX_STACK. With long names mount(2) ends much earlier, since its options must fit into one page.");
}

void read_only(Narrator& tell) {
  Bench bench;
  bench.write("base/a", "a");
  bench.write("app/b", "b");
  tell.step("a stack without an upper directory, as an image is looked at without a container");
  tell.show("mount with two lowers", bench.try_stack("merged", {{"base", "app"}}), succeeds());
  tell.show("merged lists", bench.list("merged"), is("a b"));
  tell.show("mkdir in it", bench.call([] { return raw::call(SYS_mkdirat, AT_FDCWD, "merged/c", 0755); }), fails_with(EROFS));
  tell.step("with one lower directory and no upper there is nothing to unite");
  tell.show("mount with one lower", bench.try_stack("alone", {{"base"}}), fails_with(EINVAL));
  tell.show("one lower and an upper", bench.try_stack("pair", {{"base"}, "upper"}), succeeds());
  tell.result("what is written needs a place: upperdir. An image mounted alone is read-only.");
}

void base(Narrator& tell) {
  Bench bench;
  bench.write("base/os", "base");
  bench.write("app/program", "app");
  bench.write("other/program", "other");
  tell.step("two images stand on one base; a third stack uses the base in the middle");
  bench.stack("first", {{"base", "app"}});
  bench.stack("second", {{"base", "other"}});
  bench.stack("third", {{"app", "base", "other"}});
  tell.show("layers of the first", lowers_of(bench, "first"), is("app:base"));
  tell.show("layers of the second", lowers_of(bench, "second"), is("other:base"));
  tell.show("layers of the third", lowers_of(bench, "third"), is("other:base:app"));
  tell.show("does the base name a parent?", bench.list("base"), is("os"));
  tell.show("its overlay attributes", bench.attribute("base", "origin"), is("none"));
  tell.result("a layer inherits nothing and knows nobody. \"Parent\" and \"base\" are places in the list of one mount.");
}

void shared_base(Narrator& tell) {
  constexpr int containers = 10;
  Bench bench;
  const std::uint64_t empty = bench.used_bytes();
  bench.write("base/big", std::string(20 * mebibyte, 'x'));
  const std::uint64_t with_base = bench.used_bytes();
  tell.step("a base of 20 MiB, and ten containers on it; each writes a file of its own");
  for (int number = 1; number <= containers; ++number) {
    bench.stack(numbered("merged", number), {{"base"}, numbered("upper", number)});
    bench.write(numbered("merged", number) + "/own", "of this one");
  }
  tell.show("the base, in MiB", (with_base - empty) / mebibyte, is(20));
  tell.show("ten containers more, in MiB", (bench.used_bytes() - with_base) / mebibyte, is(0));
  tell.show("each sees the 20 MiB?", static_cast<std::uint64_t>(bench.status("merged10/big").st_size) / mebibyte, is(20));
  tell.show("the same file below both?", bench.status("merged1/big").st_ino == bench.status("merged2/big").st_ino, is(true));
  tell.step("one of them writes one byte into the big file");
  bench.write("merged1/big", "y");
  tell.show("the second still has its 20 MiB?", static_cast<std::uint64_t>(bench.status("merged2/big").st_size) / mebibyte,
            is(20));
  tell.result("a base is on the disk once, and in memory once, however many containers stand on it.");
}

}  // namespace drydock::chapter::overlay
