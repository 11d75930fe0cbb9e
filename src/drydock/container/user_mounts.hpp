// What the user mounts into a container: binds, volumes, tmpfs.
//
// In two halves: the host's side is opened while the lane is still the user who may read it, the container's side is resolved
// below the new root, by descriptor.
//
// Example: UserMounts mounts(spec, host, directory); mounts.add_sources(plan); ... mounts.add_targets(plan, root);
// Chapter: 04. Source: open_tree(2), move_mount(2), mount_namespaces(7).
#pragma once

#include <string>
#include <vector>

#include <drydock/container/plan.hpp>
#include <drydock/mounts/volumes.hpp>

namespace drydock::container {

class UserMounts {
 public:
  // `directory` holds the anonymous volumes.
  UserMounts(const Spec& spec, const Host& host, std::string directory) : spec_(spec), host_(host), directory_(std::move(directory)) {}

  bool has_anonymous_volumes() const;
  // Monitor: directories for volumes that have no name.
  void add_anonymous_volumes(plan::Plan& plan) const;
  void add_sources(plan::Plan& plan);
  void add_targets(plan::Plan& plan, plan::Slot root) const;

 private:
  struct Source {
    std::string id;
    mounts::Bind bind;
    plan::Slot mount;
  };
  mounts::Bind bind_of(const MountSpec& mount, int& anonymous) const;

  const Spec& spec_;
  const Host& host_;
  const std::string directory_;
  std::vector<Source> sources_;
};

}  // namespace drydock::container
