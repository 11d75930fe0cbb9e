#include <drydock/mounts/system.hpp>

#include <fcntl.h>
#include <linux/mount.h>
#include <sys/stat.h>

#include <cerrno>

#include <drydock/mounts/detached.hpp>

namespace drydock::mounts {

using namespace plan;

namespace {

constexpr std::int64_t no_suid_dev_exec = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;

struct Device {
  const char* name;
  unsigned major, minor;
};
constexpr Device devices[] = {{"null", 1, 3}, {"zero", 1, 5}, {"full", 1, 7}, {"random", 1, 8}, {"urandom", 1, 9}, {"tty", 5, 0}};

struct Link {
  const char* name;
  const char* target;
};
constexpr Link links[] = {{"fd", "/proc/self/fd"}, {"stdin", "/proc/self/fd/0"}, {"stdout", "/proc/self/fd/1"}, {"stderr", "/proc/self/fd/2"}, {"ptmx", "pts/ptmx"}};

void add_device_node(Plan& plan, Lane lane, Slot dev, const Device& device) {
  const std::string name = device.name;
  plan.add(lane, "dev." + name, ops::mknodat(dev, name, S_IFCHR | 0666, device.major, device.minor))
      .on("/dev/" + name)
      .why("made through the descriptor of our own /dev (CVE-2026-41579)");
}

// mknod is forbidden in a user namespace: the host's node is bound over an empty file.
void add_device_bind(Plan& plan, Lane lane, Slot dev, const Device& device) {
  const std::string name = device.name;
  const Slot node = plan.slot("host_" + name, SlotKind::fd);
  plan.add(lane, "dev." + name + ".open", ops::open_tree({}, "/dev/" + name, OPEN_TREE_CLONE)).into(node).on("/dev/" + name).why("mknod is forbidden in a user namespace");
  plan.add(lane, "dev." + name + ".file", ops::create_file_at(dev, name, "", 0666)).on("/dev/" + name).why("something to bind on");
  plan.add(lane, "dev." + name, ops::move_mount(node, dev, name)).on("/dev/" + name).why("the host's node, bound");
}

Slot add_dev(Plan& plan, Lane lane, Slot root, bool user_namespace) {
  const Slot dev = add_new_mount(plan, lane, "mount.dev", {"tmpfs", {{"mode", "755"}, {"size", "65536k"}}, MOUNT_ATTR_NOSUID | MOUNT_ATTR_STRICTATIME},
                                 "a /dev of our own; the image's is never used");
  add_move_onto_directory(plan, lane, "mount.dev", dev, root, "/dev");
  // A node keeps its mode only if the umask lets it.
  for (const Device& device : devices) user_namespace ? add_device_bind(plan, lane, dev, device) : add_device_node(plan, lane, dev, device);
  for (const Link& link : links)
    plan.add(lane, std::string("dev.") + link.name, ops::symlinkat(link.target, dev, link.name)).on(std::string("/dev/") + link.name).why("where programs look for it");
  for (const char* name : {"pts", "shm", "mqueue"})
    plan.add(lane, std::string("dev.") + name, ops::mkdirat(dev, name, 0755)).on(std::string("/dev/") + name).why("a mount point");
  return dev;
}

void add_on_dev(Plan& plan, Lane lane, const std::string& id, Slot mount, Slot dev, const std::string& name) {
  plan.add(lane, id + ".attach", ops::move_mount(mount, dev, name)).on("/dev/" + name).why("below our own /dev, by descriptor");
}

void add_sys(Plan& plan, Lane lane, Slot root, const SystemMounts& options) {
  const std::int64_t read_only = options.privileged ? 0 : MOUNT_ATTR_RDONLY;
  if (options.fresh_sysfs) {
    const Slot sys = add_new_mount(plan, lane, "mount.sys", {"sysfs", {}, no_suid_dev_exec | read_only}, "devices as this network namespace sees them, read-only");
    return add_move_onto_directory(plan, lane, "mount.sys", sys, root, "/sys");
  }
  const Slot sys = plan.slot("host_sys", SlotKind::fd);
  // In a user namespace what is mounted below must come along: the kernel does not let it be uncovered (mount_namespaces(7)).
  plan.add(lane, "mount.sys", ops::open_tree({}, "/sys", OPEN_TREE_CLONE | (options.user_namespace ? AT_RECURSIVE : 0))).into(sys).on("/sys").why("a sysfs of its own needs a network namespace of its own");
  plan.add(lane, "mount.sys.flags", ops::mount_setattr(sys, "", options.user_namespace, no_suid_dev_exec | read_only, 0)).on("/sys").why("read-only before it is visible");
  add_move_onto_directory(plan, lane, "mount.sys", sys, root, "/sys");
}

}  // namespace

DeviceMounts add_system_mounts(Plan& plan, Lane lane, Slot root, const SystemMounts& options) {
  const Slot proc = add_new_mount(plan, lane, "mount.proc", {"proc", {}, no_suid_dev_exec}, "processes of the new pid namespace, not of the host");
  add_move_onto_directory(plan, lane, "mount.proc", proc, root, "/proc");
  DeviceMounts made;
  made.dev = add_dev(plan, lane, root, options.user_namespace);
  std::vector<std::pair<std::string, std::string>> pts{{"newinstance", ""}, {"ptmxmode", "0666"}, {"mode", "0620"}};
  if (!options.user_namespace) pts.push_back({"gid", "5"});
  made.devpts = add_new_mount(plan, lane, "mount.devpts", {"devpts", pts, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC}, "terminals of its own");
  add_on_dev(plan, lane, "mount.devpts", made.devpts, made.dev, "pts");
  const Slot shm = add_new_mount(plan, lane, "mount.shm", {"tmpfs", {{"mode", "1777"}, {"size", "65536k"}}, no_suid_dev_exec}, "POSIX shared memory");
  add_on_dev(plan, lane, "mount.shm", shm, made.dev, "shm");
  if (options.mqueue) {
    const Slot mqueue = add_new_mount(plan, lane, "mount.mqueue", {"mqueue", {}, no_suid_dev_exec}, "POSIX message queues of the new ipc namespace");
    add_on_dev(plan, lane, "mount.mqueue", mqueue, made.dev, "mqueue");
  }
  add_sys(plan, lane, root, options);
  made.null_device = plan.slot("null_device", SlotKind::fd);
  plan.add(lane, "dev.null.fd", ops::openat(made.dev, "null", O_PATH | O_NOFOLLOW)).into(made.null_device).on("/dev/null").why("for masks; verified to be 1:3 before each use");
  return made;
}

void add_cgroup_mounts(Plan& plan, Lane lane, Slot root, const std::vector<CgroupView>& views, bool read_only) {
  if (views.empty()) return;
  const std::int64_t attributes = no_suid_dev_exec | (read_only ? MOUNT_ATTR_RDONLY : 0);
  const Slot place = plan.slot("cgroup_place", SlotKind::fd);
  plan.add(lane, "mount.cgroup.place", ops::openat(root, "sys/fs/cgroup", O_PATH | O_DIRECTORY | O_NOFOLLOW)).into(place).on("/sys/fs/cgroup").why("where programs look for their limits");
  if (views.size() == 1 && views[0].name.empty()) {
    const Slot tree = add_new_mount(plan, lane, "mount.cgroup", {"cgroup2", {}, attributes}, "its own group is the root of what it sees");
    plan.add(lane, "mount.cgroup.attach", ops::move_mount(tree, place, "")).on("/sys/fs/cgroup").why("complete before anybody can see it");
    return;
  }
  const Slot base = add_new_mount(plan, lane, "mount.cgroup", {"tmpfs", {{"mode", "755"}}, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC}, "a directory for each hierarchy");
  plan.add(lane, "mount.cgroup.attach", ops::move_mount(base, place, "")).on("/sys/fs/cgroup").why("complete before anybody can see it");
  for (const CgroupView& view : views) {
    const std::string id = "mount.cgroup." + view.name;
    plan.add(lane, id + ".mkdir", ops::mkdirat(base, view.name, 0755)).on("/sys/fs/cgroup/" + view.name).why("a mount point");
    NewMount mount{view.options.empty() ? "cgroup2" : "cgroup", {}, attributes};
    if (!view.options.empty()) mount.options.push_back({view.options, ""});
    const Slot tree = add_new_mount(plan, lane, id, mount, "its own group is the root of what it sees");
    plan.add(lane, id + ".attach", ops::move_mount(tree, base, view.name)).on("/sys/fs/cgroup/" + view.name).why("complete before anybody can see it");
  }
  if (read_only)
    plan.add(lane, "mount.cgroup.read_only", ops::mount_setattr(base, "", false, MOUNT_ATTR_RDONLY, 0)).on("/sys/fs/cgroup").why("nothing to be added there");
}

void add_masks(Plan& plan, Lane lane, Slot root, Slot null_device, const std::vector<std::string>& masked, const std::vector<std::string>& read_only) {
  for (const std::string& path : read_only)
    plan.add(lane, "read_only" + path, ops::read_only_path(root, path)).on(path).why("belongs to the whole machine: to be read, not written");
  for (const std::string& path : masked)
    plan.add(lane, "mask" + path, ops::mask_path(root, path, null_device)).on(path).why("says more about the machine than a container should know");
}

}  // namespace drydock::mounts
