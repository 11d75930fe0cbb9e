#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>

#include <drydock/kernel/raw.hpp>
#include <drydock/plan/executor/ops.hpp>
#include <drydock/plan/executor/text.hpp>

namespace drydock::plan::executor {

namespace {

void kill_members(const char* path) {
  char file[4096], members[8192];
  Line(file, sizeof file).put(path).put("/cgroup.kill");
  if (write_small_file(AT_FDCWD, file, "1", 1) == 0) return;
  Line(file, sizeof file).put(path).put("/cgroup.procs");
  if (read_small_file(file, members, sizeof members) <= 0) return;
  long pid = 0;
  for (const char* at = members; *at != '\0'; ++at) {
    if (*at >= '0' && *at <= '9') {
      pid = pid * 10 + (*at - '0');
    } else {
      // pid 0 stands for a member of another pid namespace: not ours to see.
      if (pid > 1) raw::call(SYS_kill, pid, SIGKILL);
      pid = 0;
    }
  }
}

}  // namespace

namespace {

struct DirectoryEntry {
  std::uint64_t inode;
  std::int64_t offset;
  unsigned short length;
  unsigned char type;
  char name[1];
};

constexpr unsigned char type_directory = 4;  // DT_DIR
constexpr int deepest = 16;

void remove_children(const char* path, int depth);

// One try: members are killed, groups that the container made below its own go first.
long try_remove(const char* path, int depth) {
  const long result = raw::call(SYS_unlinkat, AT_FDCWD, path, AT_REMOVEDIR);
  if (result != -EBUSY || depth > deepest) return result;
  kill_members(path);
  remove_children(path, depth);
  return raw::call(SYS_unlinkat, AT_FDCWD, path, AT_REMOVEDIR);
}

void remove_children(const char* path, int depth) {
  const long fd = raw::call(SYS_openat, AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (raw::failed(fd)) return;
  alignas(DirectoryEntry) char buffer[4096];
  for (long size; (size = raw::call(SYS_getdents64, fd, buffer, sizeof buffer)) > 0;) {
    for (long at = 0; at < size;) {
      const auto* entry = reinterpret_cast<const DirectoryEntry*>(buffer + at);
      at += entry->length;
      if (entry->type != type_directory || equal(entry->name, ".") || equal(entry->name, "..")) continue;
      char child[1024];
      Line line(child, sizeof child);
      line.put(path).put("/").put(entry->name);
      if (!line.overflowed()) try_remove(child, depth + 1);
    }
  }
  raw::call(SYS_close, fd);
}

}  // namespace

// A group with members or children cannot be removed (EBUSY); they are what is left of the container. A process that was
// killed leaves its group a little later: therefore the second and further tries.
long op_remove_cgroup(const char* path) {
  for (int tries = 0;; ++tries) {
    const long result = try_remove(path, 0);
    if (!raw::failed(result) || result == -ENOENT) return 0;
    if (result != -EBUSY || tries >= 500) return result;
    const timespec pause{0, tries < 8 ? 100'000L : 2'000'000L};
    raw::call(SYS_nanosleep, &pause, nullptr);
  }
}

long attach_device_filter(int group, const void* program, std::size_t size) {
  bpf_attr load{};
  load.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
  load.insns = reinterpret_cast<__u64>(program);
  load.insn_cnt = static_cast<__u32>(size / sizeof(bpf_insn));
  load.license = reinterpret_cast<__u64>("MIT");
  const long loaded = raw::call(SYS_bpf, BPF_PROG_LOAD, &load, sizeof load);
  if (raw::failed(loaded)) return loaded;
  bpf_attr attach{};
  attach.target_fd = static_cast<__u32>(group);
  attach.attach_bpf_fd = static_cast<__u32>(loaded);
  attach.attach_type = BPF_CGROUP_DEVICE;
  // With MULTI a program of a group above (systemd's, of an outer runtime) goes on counting beside ours.
  attach.attach_flags = BPF_F_ALLOW_MULTI;
  const long result = raw::call(SYS_bpf, BPF_PROG_ATTACH, &attach, sizeof attach);
  raw::call(SYS_close, loaded);
  return raw::failed(result) ? result : 0;
}

}  // namespace drydock::plan::executor
