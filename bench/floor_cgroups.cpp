#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "floor.hpp"

namespace drydock::bench {
namespace {

const char* const controller_name[controllers] = {"memory", "pids", "devices", "cpu"};  // cpu last: see attach

// Nodes may be made, and these may be opened: the kernel takes one rule a write.
const char* const device_rules[] = {"c *:* m",   "b *:* m",   "c 1:3 rwm", "c 1:5 rwm", "c 1:7 rwm",  "c 1:8 rwm",
                                    "c 1:9 rwm", "c 5:0 rwm", "c 5:1 rwm", "c 5:2 rwm", "c 136:* rwm"};

void make_v1(Container& c) {
  for (int i = 0; i < controllers; i++) {
    snprintf(c.group[i], sizeof c.group[i], "/sys/fs/cgroup/%s/%s", controller_name[i], c.name);
    must(mkdir(c.group[i], 0755), c.group[i]);
  }
  write_file(c.group[0], "memory.limit_in_bytes", "67108864");
  if (access("/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes", F_OK) == 0)
    write_file(c.group[0], "memory.memsw.limit_in_bytes", "134217728");
  write_file(c.group[1], "pids.max", "100");
  write_file(c.group[2], "devices.deny", "a");
  for (const char* rule : device_rules) write_file(c.group[2], "devices.allow", rule);
  write_file(c.group[3], "cpu.cfs_period_us", "100000");
  write_file(c.group[3], "cpu.cfs_quota_us", "100000");
}

// Beside v1 groups one of cgroup2, where it is mounted: a container that is ended at one stroke needs it.
int make_unified(Container& c) {
  if (access("/sys/fs/cgroup/unified/cgroup.procs", F_OK) != 0) return -1;
  snprintf(c.unified, sizeof c.unified, "/sys/fs/cgroup/unified/%s", c.name);
  must(mkdir(c.unified, 0755), c.unified);
  return static_cast<int>(must(open(c.unified, O_PATH | O_DIRECTORY | O_CLOEXEC), c.unified));
}

}  // namespace

int make_groups(Container& c) {
  c.v2 = access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0;
  if (!c.v2) {
    make_v1(c);
    return make_unified(c);
  }
  snprintf(c.group[0], sizeof c.group[0], "/sys/fs/cgroup/%s", c.name);
  must(mkdir(c.group[0], 0755), c.group[0]);
  write_file(c.group[0], "memory.max", "67108864");
  write_file(c.group[0], "pids.max", "100");
  write_file(c.group[0], "cpu.max", "100000 100000");
  return static_cast<int>(must(open(c.group[0], O_PATH | O_DIRECTORY | O_CLOEXEC), c.group[0]));
}

void open_tasks(Container& c) {
  for (int i = 0; i < controllers && !c.v2; i++) {
    char path[128];
    snprintf(path, sizeof path, "%s/tasks", c.group[i]);
    c.tasks[i] = static_cast<int>(must(open(path, O_WRONLY | O_CLOEXEC), path));
  }
}

void attach(const Container& c, int first, int last) {
  for (int i = first; i <= last && !c.v2; i++) must(write(c.tasks[i], "0", 1), "tasks");
}

void mount_groups(const Container& c) {
  constexpr unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY;
  if (c.v2) {
    mount_at("cgroup2", "sys/fs/cgroup", "cgroup2", flags, nullptr);
    return;
  }
  mount_at("tmpfs", "sys/fs/cgroup", "tmpfs", flags & ~MS_RDONLY, "mode=755");
  for (const char* name : controller_name) {
    char path[64];
    snprintf(path, sizeof path, "sys/fs/cgroup/%s", name);
    must(mkdir(path, 0755), path);
    mount_at("cgroup", path, "cgroup", flags, name);
  }
  if (c.unified[0] != '\0') {
    must(mkdir("sys/fs/cgroup/unified", 0755), "unified");
    mount_at("cgroup2", "sys/fs/cgroup/unified", "cgroup2", flags, nullptr);
  }
  mount_at(nullptr, "sys/fs/cgroup", nullptr, MS_REMOUNT | MS_BIND | flags, nullptr);
}

void remove_groups(const Container& c) {
  for (int i = 0; i < (c.v2 ? 1 : controllers); i++) must(rmdir(c.group[i]), c.group[i]);
  if (c.unified[0] != '\0') must(rmdir(c.unified), c.unified);
}

}  // namespace drydock::bench
