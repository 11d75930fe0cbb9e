// A file system as a detached mount: configured, made, and only then put where somebody can see it.
//
// With mount(2) there is a moment in which a mount is visible without its final flags; a detached one is complete before
// move_mount shows it. Targets inside the container are opened inside its root by descriptor, never named by a path of the host.
//
// Example: Slot proc = add_new_mount(plan, lane, "mount.proc", {"proc", {}, MOUNT_ATTR_NOSUID}, "processes of the new pid namespace");
//          add_move_onto(plan, lane, "mount.proc", proc, root, "/proc", "/proc");
// Chapter: 04. Source: fsopen(2), fsmount(2), move_mount(2), Linux 5.2; CVE-2019-19921, CVE-2021-30465.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <drydock/plan/plan.hpp>

namespace drydock::mounts {

struct NewMount {
  std::string type;                                          // "tmpfs"
  std::vector<std::pair<std::string, std::string>> options;  // an empty value is a flag
  std::int64_t attributes = 0;                               // MOUNT_ATTR_*
};

// fsopen, fsconfig..., fsmount: steps "<id>.open", "<id>.<option>", "<id>.create", "<id>". The slot holds the detached mount.
plan::Slot add_new_mount(plan::Plan& plan, plan::Lane lane, const std::string& id, const NewMount& mount, const std::string& why);

// Opens `path` below `root` as a real directory (a link there is refused) and moves `mount` onto it.
void add_move_onto_directory(plan::Plan& plan, plan::Lane lane, const std::string& id, plan::Slot mount, plan::Slot root, const std::string& path);

// Makes what is missing of `path` below `root` (a file when `as_file`) and moves `mount` onto it. Links are followed inside the root.
void add_move_onto(plan::Plan& plan, plan::Lane lane, const std::string& id, plan::Slot mount, plan::Slot root, const std::string& path,
                   bool as_file = false);

}  // namespace drydock::mounts
