#include <drydock/mounts/rootfs.hpp>

#include <fcntl.h>
#include <linux/mount.h>
#include <sys/mount.h>

namespace drydock::mounts {

using namespace plan;

void add_private_propagation(Plan& plan, Lane lane) {
  plan.add(lane, "mount.private", ops::mount("", "/", "", MS_REC | MS_PRIVATE, "")).on("/").why("nothing we mount or unmount leaks out");
}

Slot add_root_place(Plan& plan, Lane lane, const std::string& path) {
  const Slot place = plan.slot("root_place", SlotKind::fd);
  plan.add(lane, "root.place", ops::open(path, O_PATH | O_DIRECTORY)).into(place).on(path).why("a descriptor still leads there when the ids have changed");
  return place;
}

void add_attach_root(Plan& plan, Lane lane, Slot root, Slot place) {
  plan.add(lane, "root.attach", ops::move_mount(root, place, "")).on("the new root").why("pivot_root wants a mount point; seen in this namespace only");
}

void add_pivot(Plan& plan, Lane lane, Slot root) {
  plan.add(lane, "root.enter", ops::fchdir(root)).on("the new root").why("'.' is now the new root");
  plan.add(lane, "root.pivot", ops::pivot_root(".", ".")).on("the new root").why("the roots change places; the old one lies over the new one");
  plan.add(lane, "root.detach_old", ops::umount2(".", MNT_DETACH)).on("the old root").why("the old root is gone, not just hidden");
  plan.add(lane, "root.chdir", ops::chdir("/")).on("/").why("no way back through the working directory");
}

void add_read_only_root(Plan& plan, Lane lane, Slot root) {
  plan.add(lane, "root.read_only", ops::mount_setattr(root, "", false, MOUNT_ATTR_RDONLY, 0)).on("/").why("--read-only: nothing writes to the image's tree");
}

}  // namespace drydock::mounts
