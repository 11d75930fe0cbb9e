// The container's root: nothing leaks out, the new root is in place, the old one is gone.
//
// Example: add_private_propagation(plan, lane); ... add_attach_root(plan, lane, root, place); ...
//          add_pivot(plan, lane, root);
// Chapter: 04. Source: pivot_root(2), mount_namespaces(7), mount_setattr(2).
#pragma once

#include <string>

#include <drydock/plan/plan.hpp>

namespace drydock::mounts {

// Everything that the new mount namespace copied becomes private: no mount of ours reaches the host, no unmount either.
void add_private_propagation(plan::Plan& plan, plan::Lane lane);
// Opens the directory `path` of the host's tree over which the root will be attached. Done before the ids change: nobody but
// its owner may pass through the container's directory.
plan::Slot add_root_place(plan::Plan& plan, plan::Lane lane, const std::string& path);
// Attaches the detached root there, in this mount namespace only: pivot_root wants a mount point.
void add_attach_root(plan::Plan& plan, plan::Lane lane, plan::Slot root, plan::Slot place);
// pivot_root(".", "."), then the old root, which lies over the new one, is detached.
void add_pivot(plan::Plan& plan, plan::Lane lane, plan::Slot root);
// The root mount becomes read-only; what is mounted below keeps its own flags.
void add_read_only_root(plan::Plan& plan, plan::Lane lane, plan::Slot root);

}  // namespace drydock::mounts
