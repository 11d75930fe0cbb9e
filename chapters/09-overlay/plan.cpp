// What chapter 09 adds to the plan: the tree of chapter 04 becomes the lowest layer of a stack, with a layer of the "app" and a
// writable one above it. The layers are shown at /layers, so that the reader can look at them from inside; no real container does
// that.
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/sched.h>

#include <algorithm>

#include <drydock/mounts/detached.hpp>
#include <drydock/overlay/overlay.hpp>
#include <drydock/security/paths.hpp>

#include "shared/sketch.hpp"

namespace drydock::chapter {

using namespace plan;

namespace {

constexpr Lane lane = Lane::payload;
const std::string store = "/mnt";  // where the layers lie, in the container's mount namespace only

void directory(Plan& plan, Slot where, const std::string& name, const std::string& why) {
  plan.payload("layers." + name, ops::mkdirat(where, name, 0755)).on(name).why(why);
}

void file(Plan& plan, Slot where, const std::string& name, const std::string& content, const std::string& why) {
  std::string id = "layers." + name;
  std::replace(id.begin(), id.end(), '/', '.');
  plan.payload(id, ops::create_file_at(where, name, content, 0644)).on(name).why(why);
}

// What the base has: places for mounts, so that these need no new directory in the writable layer, and two files.
void fill_base(Plan& plan, Slot base) {
  for (const char* name : {"usr", "proc", "dev", "sys", "layers"})
    directory(plan, base, name, "of the base: a place for a mount");
  plan.payload("layers.base.motd", ops::create_file_at(base, "motd", "of the base\n", 0644))
      .on("/motd of the base")
      .why("the app has one too");
  plan.payload("layers.base.release", ops::create_file_at(base, "release", "of the base\n", 0644))
      .on("/release of the base")
      .why("only the base has it");
}

void stacked_root(Sketch& sketch) {
  Plan& plan = sketch.plan();
  fill_base(plan, sketch.base);
  const Slot layers = mounts::add_new_mount(plan, lane, "layers", {"tmpfs", {{"mode", "755"}}, 0},
                                            "layers need a place; upper and work must share a file system");
  plan.payload("layers.attach", ops::move_mount(layers, {}, store)).on(store).why("overlayfs finds its layers by path");
  directory(plan, layers, "base", "the lowest layer: the tree that was the root so far");
  plan.payload("layers.base.attach", ops::move_mount(sketch.base, layers, "base"))
      .on("the base")
      .why("a layer is a directory, wherever it comes from");
  directory(plan, layers, "app", "the layer above it");
  file(plan, layers, "app/motd", "of the app\n", "hides the file of the base");
  directory(plan, layers, "upper", "the writable layer: every change lands here");
  directory(plan, layers, "work", "where the kernel prepares a copy before it renames it");
  directory(plan, layers, "merged", "where the stack is mounted");
  const Slot shown = plan.slot("layers_shown", SlotKind::fd);
  plan.payload("layers.shown", ops::open_tree(layers, "", OPEN_TREE_CLONE | AT_EMPTY_PATH | AT_RECURSIVE))
      .into(shown)
      .on("the layers")
      .why("for you to look at from inside");
  plan.payload("layers.shown.flags", ops::mount_setattr(shown, "", true, MOUNT_ATTR_RDONLY, 0))
      .on("the layers")
      .why("to be looked at only");
  const bool mapped = (sketch.clone_flags & CLONE_NEWUSER) != 0;
  sketch.root = overlay::add_mounted_overlay(
      plan, lane, {{store + "/base", store + "/app"}, store + "/upper", store + "/work", true, mapped}, store + "/merged");
  plan.payload("layers.show", ops::move_mount(shown, sketch.root, "layers"))
      .on("/layers")
      .why("no real container shows its layers");
}

// Every step that names the root means another one now.
std::vector<std::string> changed() {
  std::vector<std::string> steps{"root.usr.target", "mount.cgroup.place", "root.enter"};
  for (const std::string mount : {"proc", "dev", "sys"})
    steps.insert(steps.end(), {"mount." + mount + ".mkdir", "mount." + mount + ".target"});
  for (const std::string_view path : security::read_only_paths) steps.push_back("read_only" + std::string(path));
  for (const std::string_view path : security::masked_paths) steps.push_back("mask" + std::string(path));
  return steps;
}

}  // namespace

const Growth overlay{{.chapter = 9,
                      .adds = {"layers.usr",      "layers.proc",        "layers.dev",          "layers.sys",
                               "layers.layers",   "layers.base.motd",   "layers.base.release", "layers.open",
                               "layers.source",   "layers.mode",        "layers.create",       "layers",
                               "layers.attach",   "layers.base",        "layers.base.attach",  "layers.app",
                               "layers.app.motd", "layers.upper",       "layers.work",         "layers.merged",
                               "layers.shown",    "layers.shown.flags", "overlay.cwd",         "overlay.mount",
                               "overlay",         "layers.show"},
                      .removes = {"root.place", "root.attach"},
                      .changes = changed(),
                      .grow = [](Sketch& sketch) { sketch.replace("root", stacked_root); }}};

}  // namespace drydock::chapter
