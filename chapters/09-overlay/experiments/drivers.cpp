// What the notes call union file systems: one is, one was, the others are something else.
#include <errno.h>
#include <sys/mount.h>
#include <sys/syscall.h>

#include <string>

#include <drydock/kernel/sys.hpp>

#include "experiments.hpp"
#include "shared/bench.hpp"

namespace drydock::chapter::overlay {

namespace {

constexpr std::size_t mebibyte = 1024 * 1024;

// Does a mount of this type make one view of two directories?
std::string unites(Bench& bench, const std::string& type) {
  const std::string place = "as_" + type;
  const Outcome mounted = bench.call([&] {
    sys::mkdirs(place);
    return raw::call(SYS_mount, "none", place.c_str(), type.c_str(), 0, "lowerdir=a:b");
  });
  return !mounted.failed() && bench.list(place) == "from_a from_b" ? "yes" : "no";
}

bool is_file_system(const std::string& type) {
  return sys::read_file("/proc/filesystems").find("\t" + type + "\n") != std::string::npos;
}

// A copy of the whole tree, as Docker's driver "vfs" makes one for each layer and each container.
void copy_tree(Bench& bench, const std::string& from, const std::string& to) {
  bench.run([&] {
    sys::mkdirs(to);
    for (const std::string& name : sys::list_directory(from))
      sys::replace_file(to + "/" + name, sys::read_file(from + "/" + name));
    return std::string();
  });
}

}  // namespace

void not_union(Narrator& tell) {
  Bench bench;
  bench.write("a/from_a", "a");
  bench.write("b/from_b", "b");
  tell.step("a union mount shows several directories as one. Which of the six names does?");
  for (const char* type : {"overlay", "aufs", "btrfs", "vfs", "zfs", "devicemapper"})
    tell.show(type, unites(bench, type), is(std::string(type) == "overlay" ? "yes" : "no"));
  tell.result(
      "btrfs and zfs are file systems with snapshots; devicemapper makes block devices; \"vfs\" is Docker's word for cp -a.");
}

void whole_copy(Narrator& tell) {
  Bench bench;
  for (const char* name : {"one", "two", "three", "four"})
    bench.write(std::string("image/") + name, std::string(16 * mebibyte, 'x'));
  const std::uint64_t image_only = bench.used_bytes();
  tell.step("an image of 64 MiB. A container with overlay: one mount");
  std::uint64_t begin = sys::monotonic_ns();
  bench.stack("merged", {{"image"}, "upper"});
  const Time mounted{sys::monotonic_ns() - begin};
  tell.show("its files on the disk, in MiB", (bench.used_bytes() - image_only) / mebibyte, is(0));
  tell.step("a container with the driver \"vfs\": a copy of everything");
  begin = sys::monotonic_ns();
  copy_tree(bench, "image", "copy");
  const Time copied{sys::monotonic_ns() - begin};
  tell.show("its files on the disk, in MiB", (bench.used_bytes() - image_only) / mebibyte, is(64));
  tell.show("the mount took", mounted, satisfies("less than the copy", [=](Time time) { return time < copied; }));
  tell.show("the copy took", copied, satisfies("more than the mount", [=](Time time) { return time > mounted; }));
  tell.result("sharing is what a union gains. Speed of a write is another matter: see copy-up.");
}

void storage_drivers(Narrator& tell) {
  tell.step(
      "of the drivers in the notes' table: which can an engine on this machine mount? (overlay may be a module, loaded now)");
  Bench bench;
  tell.show("overlay", bench.try_stack("merged", {{"base"}, "upper"}), succeeds());
  tell.show("aufs", bench.call([] { return raw::call(SYS_mount, "none", "merged", "aufs", 0, "br=base=ro"); }),
            fails_with(ENODEV));
  tell.step("and what /proc/filesystems says");
  tell.show("is overlay a file system here?", is_file_system("overlay"), is(true));
  tell.show("is aufs one?", is_file_system("aufs"), is(false));
  tell.show("is devicemapper one?", is_file_system("devicemapper"), is(false));
  tell.result(
      "aufs was never in Linux, and left Docker with Engine 24, devicemapper with 25; new installs of Engine 29 stack by "
      "containerd.");
}

}  // namespace drydock::chapter::overlay
