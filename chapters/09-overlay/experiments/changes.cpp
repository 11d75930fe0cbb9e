// What a write, a deletion and a new directory leave in the writable layer.
#include <fcntl.h>
#include <sys/syscall.h>

#include <memory>
#include <string>

#include <drydock/kernel/sys.hpp>

#include "experiments.hpp"
#include "shared/bench.hpp"
#include "shared/payload.hpp"

namespace drydock::chapter::overlay {

namespace {

constexpr std::size_t mebibyte = 1024 * 1024;

std::uint64_t mebibytes_on_disk(Bench& bench, const std::string& path) {
  return static_cast<std::uint64_t>(bench.status(path).st_blocks) * 512 / mebibyte;
}

std::string kind_on(Bench& bench, const std::string& path) {
  return bench.run([&] { return kind_of(path); });
}

// One byte at the beginning; all else stays.
void write_one_byte(Bench& bench, const std::string& path) {
  bench.run([&] {
    sys::write_all(sys::open(path, O_WRONLY), "y");
    return std::string();
  });
}

}  // namespace

void copy_up(Narrator& tell) {
  Bench bench;
  bench.write("base/big", std::string(20 * mebibyte, 'x'));
  bench.stack("merged", {{"base"}, "upper"});
  tell.step("a file of 20 MiB in a lower layer is opened for reading, and read");
  bench.read("merged/big", 0);
  tell.show("upper lists", bench.list("upper"), is("(empty)"));
  tell.step("it is opened for writing; nothing is written");
  bench.run([] {
    sys::open("merged/big", O_WRONLY);
    return std::string();
  });
  tell.show("upper lists", bench.list("upper"), is("big"));
  tell.step("one byte is written, three times over");
  for (int times = 0; times < 3; ++times) write_one_byte(bench, "merged/big");
  tell.show("upper/big on the disk, in MiB", mebibytes_on_disk(bench, "upper/big"), is(20));
  tell.show("upper lists", bench.list("upper"), is("big"));
  tell.show("base/big begins with", bench.read("base/big", 1), is("x"));
  tell.show("merged/big begins with", bench.read("merged/big", 2), is("yx"));
  tell.result(
      "opening for writing copies the whole file, once. Three changes leave no three versions: nothing is \"committed\".");
}

void metadata(Narrator& tell) {
  Bench bench;
  bench.write("base/big", std::string(20 * mebibyte, 'x'));
  bench.stack("merged", {{"base"}, "upper"});
  tell.step("chmod 0600 merged/big: not a byte of the file changes");
  tell.show("chmod", bench.call([] { return raw::call(SYS_fchmodat, AT_FDCWD, "merged/big", 0600); }), succeeds());
  tell.show("upper/big on the disk, in MiB", mebibytes_on_disk(bench, "upper/big"), is(20));
  tell.step("a second stack over the same base: open(\"merged2/big\", O_TRUNC)");
  bench.stack("merged2", {{"base"}, "upper2"});
  bench.write("merged2/big", "short");
  tell.show("upper2/big on the disk, in MiB", mebibytes_on_disk(bench, "upper2/big"), is(0));
  tell.result("`chmod -R` in a container is a copy of all it touches. Only what is cut off is not copied first.");
}

void whiteout(Narrator& tell) {
  Bench bench;
  bench.write("base/secret", "token");
  bench.write("base/kept", "kept");
  bench.stack("merged", {{"base"}, "upper"});
  const std::uint64_t before = bench.used_bytes();
  tell.step("rm merged/secret");
  tell.show("unlink", bench.call([] { return raw::call(SYS_unlinkat, AT_FDCWD, "merged/secret", 0); }), succeeds());
  tell.show("merged lists", bench.list("merged"), is("kept"));
  tell.show("open(\"merged/secret\")", bench.read("merged/secret"), contains("ENOENT"));
  tell.show("what upper/secret is", kind_on(bench, "upper/secret"), is("char device 0:0"));
  tell.show("base/secret", bench.read("base/secret"), is("token"));
  tell.show("did the deletion free any byte?", bench.used_bytes() < before, is(false));
  tell.step("a new file of that name, which is deleted too: the name stays hidden");
  bench.write("merged/secret", "another");
  tell.show("what upper/secret is", kind_on(bench, "upper/secret"), is("file"));
  bench.call([] { return raw::call(SYS_unlinkat, AT_FDCWD, "merged/secret", 0); });
  tell.show("what upper/secret is", kind_on(bench, "upper/secret"), is("char device 0:0"));
  tell.step("a file that no lower layer has leaves no trace");
  bench.write("merged/own", "own");
  bench.call([] { return raw::call(SYS_unlinkat, AT_FDCWD, "merged/own", 0); });
  tell.show("what upper/own is", kind_on(bench, "upper/own"), is("none"));
  tell.result("a whiteout hides a lower file; nothing is written out, and nothing below is deleted.");
}

void opaque(Narrator& tell) {
  Bench bench;
  bench.write("base/etc/old", "old");
  bench.stack("merged", {{"base"}, "upper"});
  tell.step("rm -r merged/etc; mkdir merged/etc; touch merged/etc/new");
  bench.run([] {
    sys::remove_tree("merged/etc");
    sys::mkdirs("merged/etc");
    return std::string();
  });
  bench.write("merged/etc/new", "new");
  tell.show("merged/etc lists", bench.list("merged/etc"), is("new"));
  tell.show("upper/etc lists", bench.list("upper/etc"), is("new"));
  tell.show("overlay.opaque of upper/etc", bench.attribute("upper/etc", "opaque"), is("y"));
  tell.show("base/etc lists", bench.list("base/etc"), is("old"));
  tell.step("the same directory made in a layer by hand, without the attribute, shows what lies below");
  bench.write("plain/etc/new", "new");
  bench.stack("merged2", {{"base", "plain"}});
  tell.show("merged2/etc lists", bench.list("merged2/etc"), is("new old"));
  tell.result("directories are united unless the upper one is opaque: one attribute instead of a whiteout for each name.");
}

void writable_layer(Narrator& tell) {
  const auto container = [&] { return std::make_unique<Payload>(tell, sketch_of(9, request_of_this_user({"sh"}))); };
  const auto answer = [](Payload& payload, const char* command) {
    payload.talk().say(command);
    return payload.talk().line();
  };
  tell.step("a container of this chapter makes a file, and changes one");
  auto first = container();
  tell.show("its / lists", answer(*first, "echo mine > /newfile; echo changed > /motd; echo $(ls -p / | grep -v /)"),
            contains("newfile"));
  tell.show("its /motd", answer(*first, "cat /motd"), is("changed"));
  tell.show("the layers below list", answer(*first, "echo $(ls /layers/base /layers/app | grep -E '^(motd|newfile)')"),
            is("motd motd"));
  tell.step("a second container with the same layers, while the first one runs");
  auto second = container();
  tell.show("does it have /newfile?", answer(*second, "test -e /newfile && echo yes || echo no"), is("no"));
  tell.show("its /motd", answer(*second, "cat /motd"), is("of the app"));
  tell.step("docker diff of the first: what its writable layer holds");
  tell.show("upper lists", answer(*first, "echo $(ls /layers/upper)"), is("motd newfile"));
  tell.step("the first ends, and its writable layer with it; then one more");
  first.reset();
  first = container();
  tell.show("does it have /newfile?", answer(*first, "test -e /newfile && echo yes || echo no"), is("no"));
  tell.result("a change is never in the image, not even for a while. It is in a directory that belongs to one container.");
}

}  // namespace drydock::chapter::overlay
