#include <drydock/mounts/detached.hpp>

#include <fcntl.h>

#include <cerrno>

namespace drydock::mounts {

using namespace plan;

Slot add_new_mount(Plan& plan, Lane lane, const std::string& id, const NewMount& mount, const std::string& why) {
  const Slot fs = plan.slot(id + "_fs", SlotKind::fd);
  const Slot made = plan.slot(id + "_mount", SlotKind::fd);
  plan.add(lane, id + ".open", ops::fsopen(mount.type)).into(fs).on(mount.type).why("a file system to be configured, visible nowhere yet");
  plan.add(lane, id + ".source", ops::fsconfig_string(fs, "source", mount.type)).on(mount.type).why("the name that mount(8) shows for it");
  for (const auto& [key, value] : mount.options) {
    Call call = value.empty() ? ops::fsconfig_flag(fs, key) : ops::fsconfig_string(fs, key, value);
    plan.add(lane, id + "." + key, std::move(call)).on(mount.type).why("an option of the file system");
  }
  plan.add(lane, id + ".create", ops::fsconfig_create(fs)).on(mount.type).why("the kernel makes it, or says in its message log why not");
  plan.add(lane, id, ops::fsmount(fs, mount.attributes)).into(made).on(mount.type).why(why);
  return made;
}

void add_move_onto_directory(Plan& plan, Lane lane, const std::string& id, Slot mount, Slot root, const std::string& path) {
  const std::string name = path.substr(1);
  const Slot target = plan.slot(id + "_target", SlotKind::fd);
  plan.add(lane, id + ".mkdir", ops::mkdirat(root, name, 0755)).tolerate(EEXIST).tolerate(EROFS).on(path).why("the image may lack the directory");
  plan.add(lane, id + ".target", ops::openat(root, name, O_PATH | O_DIRECTORY | O_NOFOLLOW))
      .into(target)
      .on(path)
      .why("a link here would lead the mount elsewhere (CVE-2019-19921)");
  plan.add(lane, id + ".attach", ops::move_mount(mount, target, "")).on(path).why("complete before anybody can see it");
}

void add_move_onto(Plan& plan, Lane lane, const std::string& id, Slot mount, Slot root, const std::string& path, bool as_file) {
  const Slot target = plan.slot(id + "_target", SlotKind::fd);
  plan.add(lane, id + ".target", ops::mkdirs_in_root(root, path, as_file ? 0644 : 0755, as_file))
      .into(target)
      .on(path)
      .why("resolved inside the root, whatever links the image holds (CVE-2024-45310)");
  plan.add(lane, id + ".attach", ops::move_mount(mount, target, "")).on(path).why("complete before anybody can see it");
}

}  // namespace drydock::mounts
