// Stacking image layers with overlayfs: read-only layers below, one writable layer on top.
//
// Layers are given one by one ("lowerdir+", Linux 6.7) where the kernel knows that, so any number fits; older kernels get one
// option string through mount(2), which holds one page: about 55 layers. With `volatile` nothing is synced to disk at unmount (a whole file
// system is otherwise, for up to seconds): for layers that are thrown away anyway.
//
// Example: Slot root = add_overlay(plan, Lane::payload, {{"/l1", "/l2"}, "/c/upper", "/c/work", true});
// Chapter: 09. Source: kernel Documentation/filesystems/overlayfs.rst.
#pragma once

#include <string>
#include <vector>

#include <drydock/plan/plan.hpp>

namespace drydock::overlay {

struct Stack {
  std::vector<std::string> lowers;  // directories, lowest first (the order of an image)
  std::string upper, work;          // empty: a read-only stack
  bool is_volatile = false;
  bool user_xattrs = false;         // user.overlay.*: in a user namespace
};

// The slot holds the detached mount. Linux 6.7.
plan::Slot add_overlay(plan::Plan& plan, plan::Lane lane, const Stack& stack);
// The way of older kernels: mounted at `place`, in this mount namespace; the slot holds its root. Changes the lane's working
// directory. Throws Error when the names of the layers do not fit into one page.
plan::Slot add_mounted_overlay(plan::Plan& plan, plan::Lane lane, const Stack& stack, const std::string& place);
// For --userns: each layer is id-mapped by `userns` first, so that files of root on disk are files of root inside. The upper layer
// is not: what the container writes is stored under its mapped ids, and no file of it is ever setuid root on the host.
// Linux 6.13 for descriptors as layers.
plan::Slot add_mapped_overlay(plan::Plan& plan, plan::Lane lane, const Stack& stack, plan::Slot userns);
// The same before Linux 6.13, which wants layers that are attached somewhere: the lane goes into a mount namespace of its own, where
// the id-mapped layers lie over the real ones for a moment, and stays there; mounts of the host still come and go in it.
// `place` is an empty directory. Linux 5.19. Throws Error as add_mounted_overlay() does.
plan::Slot add_mapped_mounted_overlay(plan::Plan& plan, plan::Lane lane, const Stack& stack, plan::Slot userns, const std::string& place);
// A path inside "lowerdir=": ':' and '\' are written with a backslash, ',' too in an option string.
std::string escaped(const std::string& path, bool in_option_string);

}  // namespace drydock::overlay
