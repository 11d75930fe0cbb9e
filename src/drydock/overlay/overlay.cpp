#include <drydock/overlay/overlay.hpp>

#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <sys/mount.h>

#include <drydock/kernel/error.hpp>

namespace drydock::overlay {

using namespace plan;

namespace {

constexpr const char* overlay_object = "the image's layers";

Slot open_overlay(Plan& plan, Lane lane) {
  const Slot fs = plan.slot("overlay_fs", SlotKind::fd);
  plan.add(lane, "overlay.open", ops::fsopen("overlay")).into(fs).on(overlay_object).why("a stack of directories to be configured");
  plan.add(lane, "overlay.source", ops::fsconfig_string(fs, "source", "overlay")).on(overlay_object).why("the name that mount(8) shows for it");
  return fs;
}

void add_writable_layer(Plan& plan, Lane lane, Slot fs, const Stack& stack) {
  if (stack.upper.empty()) return;
  plan.add(lane, "overlay.upper", ops::fsconfig_string(fs, "upperdir", stack.upper)).on("the writable layer " + stack.upper).why("the writable layer: every change lands here");
  plan.add(lane, "overlay.work", ops::fsconfig_string(fs, "workdir", stack.work)).on(stack.work).why("where the kernel prepares a copy before it renames it");
}

Slot make_overlay(Plan& plan, Lane lane, Slot fs, bool is_volatile, bool user_xattrs) {
  if (is_volatile) plan.add(lane, "overlay.volatile", ops::fsconfig_flag(fs, "volatile")).on(overlay_object).why("thrown away at the end: no sync of the disk");
  if (user_xattrs) plan.add(lane, "overlay.userxattr", ops::fsconfig_flag(fs, "userxattr")).on(overlay_object).why("trusted.* attributes are for the host's root only");
  plan.add(lane, "overlay.create", ops::fsconfig_create(fs)).on(overlay_object).why("the kernel stacks them");
  const Slot root = plan.slot("root", SlotKind::fd);
  plan.add(lane, "overlay", ops::fsmount(fs, 0)).into(root).on(overlay_object).why("image layers below, one writable layer on top; visible nowhere yet");
  return root;
}

}  // namespace

std::string escaped(const std::string& path, bool in_option_string) {
  std::string text;
  for (const char c : path) {
    if (c == ':' || c == '\\' || (c == ',' && in_option_string)) text += '\\';
    text += c;
  }
  return text;
}

Slot add_overlay(Plan& plan, Lane lane, const Stack& stack) {
  const Slot fs = open_overlay(plan, lane);
  int number = static_cast<int>(stack.lowers.size());
  for (auto lower = stack.lowers.rbegin(); lower != stack.lowers.rend(); ++lower)
    plan.add(lane, "overlay.layer." + std::to_string(number--), ops::fsconfig_string(fs, "lowerdir+", *lower)).on("layer " + *lower).why("a read-only layer of the image, highest first");
  add_writable_layer(plan, lane, fs, stack);
  return make_overlay(plan, lane, fs, stack.is_volatile, stack.user_xattrs);
}

namespace {

constexpr std::size_t option_page = 4096;  // with the terminating NUL; fsconfig(2) would take 255 bytes only

std::string parent_of(const std::string& path) {
  return path.substr(0, path.rfind('/'));
}

// The directory that all layers lie in: from there, their names are short.
std::string common_parent(const std::vector<std::string>& lowers) {
  std::string parent = lowers.empty() ? "/" : parent_of(lowers.front());
  for (const std::string& lower : lowers)
    if (parent_of(lower) != parent) parent = "/";
  return parent.empty() ? "/" : parent;
}

std::string option_string(const Stack& stack, const std::string& directory) {
  const std::size_t skip = directory == "/" ? 0 : directory.size() + 1;
  std::string options = "lowerdir=";
  for (auto lower = stack.lowers.rbegin(); lower != stack.lowers.rend(); ++lower)
    options += (lower == stack.lowers.rbegin() ? "" : ":") + escaped(lower->substr(skip), true);
  if (!stack.upper.empty()) options += ",upperdir=" + escaped(stack.upper, true) + ",workdir=" + escaped(stack.work, true);
  if (stack.is_volatile) options += ",volatile";
  if (stack.user_xattrs) options += ",userxattr";
  return options;
}

Step& add_overlay_mount(Plan& plan, Lane lane, const Stack& stack, const std::string& place) {
  const std::string directory = common_parent(stack.lowers), options = option_string(stack, directory);
  if (options.size() >= option_page)
    throw Error::refused("the image's " + std::to_string(stack.lowers.size()) + " layers", "their names do not fit into the one page that mount(2) takes",
                         "use Linux 6.7 or later, which takes any number, or an image with fewer layers");
  plan.add(lane, "overlay.cwd", ops::chdir(directory)).on(directory).why("from here the names of the layers are short: mount(2) takes one page");
  return plan.add(lane, "overlay.mount", ops::mount("overlay", place, "overlay", 0, options)).on(overlay_object).why("image layers below, one writable layer on top, highest first");
}

}  // namespace

Slot add_mounted_overlay(Plan& plan, Lane lane, const Stack& stack, const std::string& place) {
  add_overlay_mount(plan, lane, stack, place);
  const Slot root = plan.slot("root", SlotKind::fd);
  plan.add(lane, "overlay", ops::open(place, O_PATH | O_DIRECTORY)).into(root).on(overlay_object).why("everything else is done through this descriptor");
  return root;
}

namespace {

Slot add_mapped_tree(Plan& plan, Lane lane, const std::string& id, const std::string& path, Slot userns) {
  const Slot tree = plan.slot(id + "_tree", SlotKind::fd);
  plan.add(lane, id + ".tree", ops::open_tree({}, path, OPEN_TREE_CLONE)).into(tree).on(path).why("a detached copy to be id-mapped");
  plan.add(lane, id + ".idmap", ops::mount_setattr(tree, "", false, MOUNT_ATTR_IDMAP, 0, 0, userns)).on(path).why("root's files on disk belong to root inside");
  return tree;
}

}  // namespace

Slot add_mapped_overlay(Plan& plan, Lane lane, const Stack& stack, Slot userns) {
  const Slot fs = open_overlay(plan, lane);
  for (std::size_t number = stack.lowers.size(); number > 0; --number) {
    const std::string& lower = stack.lowers[number - 1];
    const std::string id = "overlay.layer." + std::to_string(number);
    const Slot tree = add_mapped_tree(plan, lane, id, lower, userns);
    plan.add(lane, id, ops::fsconfig_fd(fs, "lowerdir+", tree)).on("layer " + lower).why("a read-only layer of the image, highest first");
  }
  add_writable_layer(plan, lane, fs, stack);
  return make_overlay(plan, lane, fs, stack.is_volatile, false);
}

Slot add_mapped_mounted_overlay(Plan& plan, Lane lane, const Stack& stack, Slot userns, const std::string& place) {
  plan.add(lane, "overlay.namespace", ops::unshare(CLONE_NEWNS)).on(overlay_object).why("id-mapped layers are to be seen by nobody else");
  plan.add(lane, "overlay.slave", ops::mount("", "/", "", MS_REC | MS_SLAVE, "")).on(overlay_object).why("what is unmounted on the host is not held here");
  std::size_t number = stack.lowers.size();
  for (auto lower = stack.lowers.rbegin(); lower != stack.lowers.rend(); ++lower, --number) {
    const std::string id = "overlay.layer." + std::to_string(number);
    const Slot tree = add_mapped_tree(plan, lane, id, *lower, userns);
    plan.add(lane, id, ops::move_mount(tree, {}, *lower)).on("layer " + *lower).why("before Linux 6.13 overlayfs finds layers by path only");
  }
  add_overlay_mount(plan, lane, stack, place).undo(ops::umount2(place, MNT_DETACH));
  const Slot root = plan.slot("detached_root", SlotKind::fd);
  plan.add(lane, "overlay.detach", ops::open_tree({}, place, OPEN_TREE_CLONE)).into(root).on(overlay_object).why("to be attached in the container's mount namespace");
  plan.add(lane, "overlay.cwd.back", ops::chdir("/")).on("/").why("a working directory keeps a file system busy");
  plan.add(lane, "overlay.umount", ops::umount2(place, MNT_DETACH)).on(overlay_object).why("the container holds the copy");
  for (const std::string& lower : stack.lowers)
    plan.add(lane, "overlay.umount." + std::to_string(++number), ops::umount2(lower, MNT_DETACH)).on("layer " + lower).why("the overlay holds its own copy");
  return root;
}

}  // namespace drydock::overlay
