// The mounts that every container has: /proc, /dev with its devices, /dev/pts, /dev/shm, /dev/mqueue, /sys, /sys/fs/cgroup.
//
// /dev is always a tmpfs of our own, filled through its descriptor: what the image has there is never used (CVE-2026-41579).
//
// Example: add_system_mounts(plan, lane, root, {});
// Chapter: 04. Source: OCI runtime specification, config-linux.md "Default filesystems" and "Default devices".
#pragma once

#include <string>
#include <vector>

#include <drydock/plan/plan.hpp>

namespace drydock::mounts {

struct SystemMounts {
  bool user_namespace = false;   // device nodes cannot be made there: the host's are bound
  bool privileged = false;       // /sys writable, nothing masked
  bool fresh_sysfs = true;       // false: the network namespace is not ours, /sys is bound from the host
  bool terminal = false;         // a pty is the container's console
  bool mqueue = true;            // false: the ipc namespace is not ours, and neither are its queues
};

// A controller group as seen inside, "memory" or "cgroup2"; mounted read-only below /sys/fs/cgroup.
struct CgroupView {
  std::string name;     // directory below /sys/fs/cgroup; empty: the whole of it (v2)
  std::string options;  // v1: "memory"; v2: ""
};

struct DeviceMounts {
  plan::Slot devpts;       // detached devpts before it is attached; terminals come from here
  plan::Slot null_device;  // /dev/null of our own /dev
  plan::Slot dev;          // the tmpfs on /dev
};

DeviceMounts add_system_mounts(plan::Plan& plan, plan::Lane lane, plan::Slot root, const SystemMounts& options);
// After unshare(CLONE_NEWCGROUP): the groups' own directories are the roots of what is seen.
void add_cgroup_mounts(plan::Plan& plan, plan::Lane lane, plan::Slot root, const std::vector<CgroupView>& views, bool read_only);
// Masked and read-only paths of /proc and /sys (security/paths.hpp names them).
void add_masks(plan::Plan& plan, plan::Lane lane, plan::Slot root, plan::Slot null_device, const std::vector<std::string>& masked,
               const std::vector<std::string>& read_only);

}  // namespace drydock::mounts
