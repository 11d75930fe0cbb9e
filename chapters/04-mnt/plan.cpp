// What chapter 04 adds to the plan: a root of its own with the host's /usr in it, system mounts that were complete before anybody
// saw them, masks, and pivot_root. Chapter 03's /proc is one of the system mounts now.
#include <linux/sched.h>

#include <drydock/mounts/detached.hpp>
#include <drydock/mounts/rootfs.hpp>
#include <drydock/mounts/volumes.hpp>
#include <drydock/security/paths.hpp>

#include "shared/sketch.hpp"

namespace drydock::chapter {

using namespace plan;

namespace {

constexpr Lane lane = Lane::payload;

// No image yet (chapter 11): an empty file system in memory, and the programs of the host, which nobody can write to in here.
void base(Sketch& sketch) {
  sketch.base = mounts::add_new_mount(sketch.plan(), lane, "root", {"tmpfs", {{"mode", "755"}}, 0},
                                      "an empty tree: nothing of the host is in it");
  for (const char* name : {"bin", "lib", "lib64", "sbin"})
    sketch.plan()
        .payload(std::string("root.") + name, ops::symlinkat(std::string("usr/") + name, sketch.base, name))
        .on(std::string("/") + name)
        .why("where programs and their interpreter are looked for");
}

void root(Sketch& sketch) {
  const Slot place = mounts::add_root_place(sketch.plan(), lane, "/mnt");
  mounts::add_attach_root(sketch.plan(), lane, sketch.base, place);
  sketch.root = sketch.base;
}

void programs(Sketch& sketch) {
  const mounts::Bind programs{.source = "/usr", .target = "/usr", .read_only = true};
  const Slot usr = mounts::add_bind_source(sketch.plan(), lane, "root.usr", programs);
  mounts::add_bind_target(sketch.plan(), lane, "root.usr", programs, usr, sketch.root);
}

void system_mounts(Sketch& sketch) {
  sketch.system.user_namespace = (sketch.clone_flags & CLONE_NEWUSER) != 0;
  sketch.devices = mounts::add_system_mounts(sketch.plan(), lane, sketch.root, sketch.system);
}

void masks(Sketch& sketch) {
  const std::vector<std::string> masked(security::masked_paths.begin(), security::masked_paths.end());
  const std::vector<std::string> read_only(security::read_only_paths.begin(), security::read_only_paths.end());
  mounts::add_masks(sketch.plan(), lane, sketch.root, sketch.devices.null_device, masked, read_only);
}

std::vector<std::string> added() {
  std::vector<std::string> steps = {"root.place",
                                    "root.usr.source",
                                    "root.usr.flags",
                                    "root.open",
                                    "root.source",
                                    "root.mode",
                                    "root.create",
                                    "root",
                                    "root.attach",
                                    "root.usr.target",
                                    "root.usr.attach",
                                    "root.bin",
                                    "root.lib",
                                    "root.lib64",
                                    "root.sbin",
                                    "mount.proc.open",
                                    "mount.proc.source",
                                    "mount.proc.create",
                                    "mount.proc.mkdir",
                                    "mount.proc.target",
                                    "mount.proc.attach",
                                    "mount.dev.open",
                                    "mount.dev.source",
                                    "mount.dev.mode",
                                    "mount.dev.size",
                                    "mount.dev.create",
                                    "mount.dev",
                                    "mount.dev.mkdir",
                                    "mount.dev.target",
                                    "mount.dev.attach",
                                    "dev.null",
                                    "dev.zero",
                                    "dev.full",
                                    "dev.random",
                                    "dev.urandom",
                                    "dev.tty",
                                    "dev.fd",
                                    "dev.stdin",
                                    "dev.stdout",
                                    "dev.stderr",
                                    "dev.ptmx",
                                    "dev.pts",
                                    "dev.shm",
                                    "dev.mqueue",
                                    "dev.null.fd",
                                    "mount.devpts.open",
                                    "mount.devpts.source",
                                    "mount.devpts.newinstance",
                                    "mount.devpts.ptmxmode",
                                    "mount.devpts.mode",
                                    "mount.devpts.gid",
                                    "mount.devpts.create",
                                    "mount.devpts",
                                    "mount.devpts.attach",
                                    "mount.shm.open",
                                    "mount.shm.source",
                                    "mount.shm.mode",
                                    "mount.shm.size",
                                    "mount.shm.create",
                                    "mount.shm",
                                    "mount.shm.attach",
                                    "mount.sys",
                                    "mount.sys.flags",
                                    "mount.sys.mkdir",
                                    "mount.sys.target",
                                    "mount.sys.attach",
                                    "root.enter",
                                    "root.pivot",
                                    "root.detach_old",
                                    "root.chdir"};
  for (const std::string_view path : security::read_only_paths) steps.push_back("read_only" + std::string(path));
  for (const std::string_view path : security::masked_paths) steps.push_back("mask" + std::string(path));
  return steps;
}

}  // namespace

const Growth mnt{{.chapter = 4, .adds = added(), .changes = {"mount.proc"}, .grow = [](Sketch& sketch) {
                    sketch.clone_flags |= CLONE_NEWNS;
                    sketch.system.fresh_sysfs = false;
                    sketch.system.mqueue = false;
                    sketch.add(Phase::root, "base", base);
                    sketch.add(Phase::root, "root", root);
                    sketch.add(Phase::root, "programs", programs);
                    sketch.replace("proc", system_mounts);
                    sketch.add(Phase::enter, "masks", masks);
                    sketch.add(Phase::enter, "pivot", [](Sketch& s) { mounts::add_pivot(s.plan(), lane, s.root); });
                  }}};

}  // namespace drydock::chapter
