#include <drydock/container/user_mounts.hpp>

#include <sys/mount.h>

#include <algorithm>

namespace drydock::container {

using namespace plan;

namespace {

std::string step_of(int number) {
  return "volume." + std::to_string(number);
}

bool is_anonymous(const MountSpec& mount) {
  return mount.type == MountType::volume && mount.source.empty();
}

}  // namespace

bool UserMounts::has_anonymous_volumes() const {
  return std::any_of(spec_.mounts.begin(), spec_.mounts.end(), is_anonymous);
}

void UserMounts::add_anonymous_volumes(Plan& plan) const {
  int number = 0;
  for (const MountSpec& mount : spec_.mounts) {
    if (!is_anonymous(mount)) continue;
    const std::string name = "volume" + std::to_string(number++);
    plan.monitor("files." + name, ops::mkdir(directory_ + "/" + name, 0755)).on(mount.target).why("an anonymous volume, gone with the container");
  }
}

mounts::Bind UserMounts::bind_of(const MountSpec& mount, int& anonymous) const {
  mounts::Bind bind{mount.source, mount.target, mount.read_only, false, mount.recursive, 0};
  if (mount.type == MountType::volume)
    bind.source = mount.source.empty() ? directory_ + "/volume" + std::to_string(anonymous++) : host_.paths.data + "/volumes/" + mount.source;
  else if (const auto known = host_.source_is_file.find(mount.source); known != host_.source_is_file.end())
    bind.source_is_file = known->second;
  const std::string kind = mount.propagation.starts_with('r') ? mount.propagation.substr(1) : mount.propagation;
  bind.propagation = kind == "shared" ? MS_SHARED : kind == "slave" ? MS_SLAVE : MS_PRIVATE;
  return bind;
}

void UserMounts::add_sources(Plan& plan) {
  int anonymous = 0, number = 0;
  for (const MountSpec& mount : spec_.mounts) {
    const std::string id = step_of(number++);
    if (mount.type == MountType::tmpfs) continue;
    const mounts::Bind bind = bind_of(mount, anonymous);
    sources_.push_back({id, bind, mounts::add_bind_source(plan, Lane::payload, id, bind)});
  }
}

void UserMounts::add_targets(Plan& plan, Slot root) const {
  int number = 0;
  for (const MountSpec& mount : spec_.mounts) {
    const std::string id = step_of(number++);
    if (mount.type != MountType::tmpfs) continue;
    std::string options = mount.tmpfs_options;
    if (mount.tmpfs_size) options += (options.empty() ? "size=" : ",size=") + std::to_string(*mount.tmpfs_size);
    mounts::add_tmpfs(plan, Lane::payload, id, mount.target, options, mount.read_only, root);
  }
  for (const Source& source : sources_) mounts::add_bind_target(plan, Lane::payload, source.id, source.bind, source.mount, root);
}

}  // namespace drydock::container
