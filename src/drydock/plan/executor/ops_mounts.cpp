#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include <drydock/kernel/raw.hpp>
#include <drydock/plan/executor/ops.hpp>
#include <drydock/plan/executor/text.hpp>

namespace drydock::plan::executor {

// The kernel writes why it refused into the message log of the fsopen descriptor: read(2) gives "e overlay: ...".
void read_mount_log(Context& context, int fs) {
  char message[200];
  Line line(context.detail, sizeof context.detail);
  for (int count = 0; count < 8; ++count) {
    const long size = raw::call(SYS_read, fs, message, sizeof message - 1);
    if (size <= 2) return;
    if (count > 0) line.put("; ");
    const long begin = message[1] == ' ' ? 2 : 0;
    line.put(message + begin, static_cast<std::size_t>(size - begin - (message[size - 1] == '\n' ? 1 : 0)));
  }
}

long op_fsconfig(Context& context, int fs, unsigned command, const char* key, const void* value, int aux) {
  const long result = raw::call(SYS_fsconfig, fs, command, key, value, aux);
  if (raw::failed(result)) read_mount_log(context, fs);
  return result;
}

long op_move_mount(Context& context, const wire::WireCall& call) {
  const char* to_path = text(context, call, 2);
  const unsigned flags = MOVE_MOUNT_F_EMPTY_PATH | (to_path[0] == '\0' ? MOVE_MOUNT_T_EMPTY_PATH : 0U);
  return raw::call(SYS_move_mount, number(context, call, 0), "", directory(context, call, 1), to_path, flags);
}

long op_mount_setattr(Context& context, const wire::WireCall& call) {
  mount_attr attributes{};
  attributes.attr_set = static_cast<std::uint64_t>(number(context, call, 3));
  attributes.attr_clr = static_cast<std::uint64_t>(number(context, call, 4));
  attributes.propagation = static_cast<std::uint64_t>(number(context, call, 5));
  const long userns = number(context, call, 6);
  if (userns >= 0) attributes.userns_fd = static_cast<std::uint64_t>(userns);
  const char* path = text(context, call, 1);
  const unsigned flags = (path[0] == '\0' ? AT_EMPTY_PATH : 0U) | (number(context, call, 2) != 0 ? AT_RECURSIVE : 0U);
  return raw::call(SYS_mount_setattr, directory(context, call, 0), path, flags, &attributes, sizeof attributes);
}

namespace {

constexpr unsigned onto_descriptor = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH;

// CVE-2025-31133: what is bound over a file must be the real null device, checked through the descriptor.
bool is_null_device(int fd) {
  struct stat status;
  return ::fstat(fd, &status) == 0 && S_ISCHR(status.st_mode) && status.st_rdev == makedev(1, 3);
}

// A detached copy of the mount at `fd`, on which nothing is mounted yet.
long clone_mount(long fd) {
  return raw::call(SYS_open_tree, fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
}

long empty_mount() {
  const long fs = raw::call(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC);
  if (raw::failed(fs)) return fs;
  raw::call(SYS_fsconfig, fs, FSCONFIG_SET_STRING, "size", "0", 0);
  long mount = raw::call(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0);
  if (!raw::failed(mount))
    mount = raw::call(SYS_fsmount, fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
  raw::call(SYS_close, fs);
  return mount;
}

// Attaches `mount` (or passes its error on) over `target`, and closes both.
long cover(long mount, long target) {
  const long result = raw::failed(mount) ? mount : raw::call(SYS_move_mount, mount, "", target, "", onto_descriptor);
  if (!raw::failed(mount)) raw::call(SYS_close, mount);
  raw::call(SYS_close, target);
  return raw::failed(result) ? result : 0;
}

// What is not in this kernel's /proc or /sys needs no hiding.
bool is_absent(long target) {
  return target == -ENOENT || target == -ENOTDIR;
}

}  // namespace

long op_mask_path(Context& context, const wire::WireCall& call) {
  const long target = op_open_in_root(context, call);
  if (is_absent(target)) return 0;
  if (raw::failed(target)) return target;
  struct stat status{};
  ::fstat(static_cast<int>(target), &status);
  if (S_ISDIR(status.st_mode)) return cover(empty_mount(), target);
  const long null_device = number(context, call, 3);
  return cover(is_null_device(static_cast<int>(null_device)) ? clone_mount(null_device) : -ENODEV, target);
}

long op_read_only_path(Context& context, const wire::WireCall& call) {
  const long target = op_open_in_root(context, call);
  if (is_absent(target)) return 0;
  if (raw::failed(target)) return target;
  long mount = clone_mount(target);
  if (!raw::failed(mount)) {
    mount_attr attributes{};
    attributes.attr_set = MOUNT_ATTR_RDONLY;
    const long sealed = raw::call(SYS_mount_setattr, mount, "", AT_EMPTY_PATH, &attributes, sizeof attributes);
    if (raw::failed(sealed)) {
      raw::call(SYS_close, mount);
      mount = sealed;
    }
  }
  return cover(mount, target);
}

// CVE-2025-52565: no path is ever opened. The multiplexer comes from the detached devpts, its peer from TIOCGPTPEER.
long op_pty_open(Context& context, const wire::WireCall& call, long* second) {
  const long master = raw::call(SYS_openat, number(context, call, 0), "ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (raw::failed(master)) return master;
  int unlock = 0;
  long result = raw::call(SYS_ioctl, master, TIOCSPTLCK, &unlock);
  if (!raw::failed(result)) result = raw::call(SYS_ioctl, master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (raw::failed(result)) {
    raw::call(SYS_close, master);
    return result;
  }
  *second = result;
  return master;
}

}  // namespace drydock::plan::executor
