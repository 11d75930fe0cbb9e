#include <drydock/mounts/volumes.hpp>

#include <fcntl.h>
#include <linux/mount.h>

#include <drydock/mounts/detached.hpp>

namespace drydock::mounts {

using namespace plan;

namespace {

constexpr std::int64_t private_propagation = 1 << 18;  // MS_PRIVATE; <sys/mount.h> and <linux/mount.h> exclude each other

}  // namespace

Slot add_bind_source(Plan& plan, Lane lane, const std::string& id, const Bind& bind) {
  const Slot source = plan.slot(id + "_source", SlotKind::fd);
  const std::int64_t flags = OPEN_TREE_CLONE | (bind.recursive ? AT_RECURSIVE : 0);
  plan.add(lane, id + ".source", ops::open_tree({}, bind.source, flags)).into(source).on(bind.source).why("a detached copy of the mount at the source");
  plan.add(lane, id + ".flags",
           ops::mount_setattr(source, "", bind.recursive, bind.read_only ? MOUNT_ATTR_RDONLY : 0, 0, bind.propagation != 0 ? bind.propagation : private_propagation))
      .on(bind.target)
      .why(bind.read_only ? "read-only before it is visible: no moment in which it can be written" : "mounts below it stay on their own side");
  return source;
}

void add_bind_target(Plan& plan, Lane lane, const std::string& id, const Bind& bind, Slot source, Slot root) {
  add_move_onto(plan, lane, id, source, root, bind.target, bind.source_is_file);
}

void add_tmpfs(Plan& plan, Lane lane, const std::string& id, const std::string& target, const std::string& options, bool read_only, Slot root) {
  NewMount mount{"tmpfs", {}, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC | (read_only ? MOUNT_ATTR_RDONLY : 0)};
  for (std::size_t at = 0; at < options.size();) {
    const std::size_t end = std::min(options.find(',', at), options.size());
    const std::string option = options.substr(at, end - at);
    at = end + 1;
    if (option == "exec") mount.attributes &= ~std::int64_t{MOUNT_ATTR_NOEXEC};
    if (option == "ro") mount.attributes |= MOUNT_ATTR_RDONLY;
    const std::size_t equals = option.find('=');
    if (equals != std::string::npos) mount.options.push_back({option.substr(0, equals), option.substr(equals + 1)});
  }
  const Slot made = add_new_mount(plan, lane, id, mount, "in memory, gone with the container");
  add_move_onto(plan, lane, id, made, root, target);
}

}  // namespace drydock::mounts
