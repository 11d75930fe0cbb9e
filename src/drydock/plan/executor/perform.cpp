// One call: the switch from Op to the system call. Anything longer than a line has its own function (ops.hpp).
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <time.h>

#include <drydock/kernel/raw.hpp>
#include <drydock/plan/executor/netlink_io.hpp>
#include <drydock/plan/executor/ops.hpp>
#include <drydock/plan/executor/packets.hpp>
#include <drydock/plan/executor/shared_network.hpp>
#include <drydock/plan/executor/text.hpp>

namespace drydock::plan::executor {

namespace {

// /proc/<pid>/<name> of a call's first two arguments.
struct ProcPath {
  char path[96];
  ProcPath(const Context& context, const wire::WireCall& call) {
    Line(path, sizeof path).put("/proc/").put_number(number(context, call, 0)).put("/").put(text(context, call, 1));
  }
};

long open_proc_file(const Context& context, const wire::WireCall& call) {
  return raw::call(SYS_openat, AT_FDCWD, ProcPath(context, call).path, number(context, call, 2) | O_CLOEXEC);
}

long write_proc_file(const Context& context, const wire::WireCall& call) {
  const ProcPath where(context, call);
  const char* path = where.path;
  return write_small_file(AT_FDCWD, path, text(context, call, 2), text_length(context, call, 2));
}

long set_window_size(const Context& context, const wire::WireCall& call) {
  winsize size{};
  size.ws_row = static_cast<unsigned short>(number(context, call, 1));
  size.ws_col = static_cast<unsigned short>(number(context, call, 2));
  return raw::call(SYS_ioctl, number(context, call, 0), TIOCSWINSZ, &size);
}

long sleep_ms(long milliseconds) {
  const timespec span{milliseconds / 1000, (milliseconds % 1000) * 1'000'000};
  return raw::call(SYS_nanosleep, &span, nullptr);
}

long call_function(const Context& context, long index) {
  const Functions& functions = context.functions;
  if (index < 0 || index >= functions.count) return -ENOSYS;
  return functions.table[index](functions.arguments != nullptr ? functions.arguments[index] : nullptr);
}

}  // namespace

// One case per Op, in the order of the enum: a table in the shape of a switch.
long perform(Context& c, const wire::WireCall& a, long* second) {
  const auto n = [&](int index) { return number(c, a, index); };
  const auto s = [&](int index) { return text(c, a, index); };
  const auto size = [&](int index) { return text_length(c, a, index); };
  const auto dir = [&](int index) { return directory(c, a, index); };
  switch (static_cast<Op>(a.op)) {
    case Op::mkdir: return raw::call(SYS_mkdirat, AT_FDCWD, s(0), n(1));
    case Op::mkdirat: return raw::call(SYS_mkdirat, dir(0), s(1), n(2));
    case Op::rmdir: return raw::call(SYS_unlinkat, AT_FDCWD, s(0), AT_REMOVEDIR);
    case Op::unlink: return raw::call(SYS_unlinkat, AT_FDCWD, s(0), 0);
    case Op::remove_tree: return op_remove_tree(s(0));
    case Op::remove_tree_mapped: return op_remove_tree_mapped(c, a);
    case Op::open: return raw::call(SYS_openat, AT_FDCWD, s(0), n(1) | O_CLOEXEC, n(2));
    case Op::openat: return raw::call(SYS_openat, dir(0), s(1), n(2) | O_CLOEXEC, n(3));
    case Op::open_in_root: return op_open_in_root(c, a);
    case Op::mkdirs_in_root: return op_mkdirs_in_root(c, a);
    case Op::close: return raw::call(SYS_close, n(0));
    case Op::write_file: return write_small_file(AT_FDCWD, s(0), s(1), size(1));
    case Op::write_file_at: return write_small_file(dir(0), s(1), s(2), size(2));
    case Op::create_file: return op_create_file(AT_FDCWD, s(0), s(1), size(1), static_cast<int>(n(2)));
    case Op::create_file_at: return op_create_file(dir(0), s(1), s(2), size(2), static_cast<int>(n(3)));
    case Op::symlinkat: return raw::call(SYS_symlinkat, s(0), dir(1), s(2));
    case Op::mknodat: return raw::call(SYS_mknodat, dir(0), s(1), n(2), makedev(static_cast<unsigned>(n(3)), static_cast<unsigned>(n(4))));
    case Op::fchownat: return raw::call(SYS_fchownat, AT_FDCWD, s(0), n(1), n(2), AT_SYMLINK_NOFOLLOW);
    case Op::linkat: {
      char path[40];
      Line(path, sizeof path).put("/proc/self/fd/").put_number(n(0) >= 0 ? n(0) : c.ledger_fd);
      return raw::call(SYS_linkat, AT_FDCWD, path, AT_FDCWD, s(1), AT_SYMLINK_FOLLOW);
    }
    case Op::chdir: return raw::call(SYS_chdir, s(0));
    case Op::chdir_in_root: return raw::call(SYS_chdir, s(0));
    case Op::fchdir: return raw::call(SYS_fchdir, n(0));
    case Op::chroot: return raw::call(SYS_chroot, s(0));
    case Op::check_cwd: return op_check_cwd();
    case Op::send_fd: return send_packet(c.control, {wire::Word::descriptor, 0}, static_cast<int>(n(0)));
    case Op::pipe: return op_pipe(second);
    case Op::mount: return raw::call(SYS_mount, s(0), s(1), s(2), n(3), s(4));
    case Op::umount2: return raw::call(SYS_umount2, s(0), n(1));
    case Op::fsopen: return raw::call(SYS_fsopen, s(0), FSOPEN_CLOEXEC);
    case Op::fsconfig_string: return op_fsconfig(c, static_cast<int>(n(0)), FSCONFIG_SET_STRING, s(1), s(2), 0);
    case Op::fsconfig_flag: return op_fsconfig(c, static_cast<int>(n(0)), FSCONFIG_SET_FLAG, s(1), nullptr, 0);
    case Op::fsconfig_fd: return op_fsconfig(c, static_cast<int>(n(0)), FSCONFIG_SET_FD, s(1), nullptr, static_cast<int>(n(2)));
    case Op::fsconfig_create: return op_fsconfig(c, static_cast<int>(n(0)), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0);
    case Op::fsmount: {
      const long fd = raw::call(SYS_fsmount, n(0), FSMOUNT_CLOEXEC, n(1));
      if (raw::failed(fd)) read_mount_log(c, static_cast<int>(n(0)));
      return fd;
    }
    case Op::move_mount: return op_move_mount(c, a);
    case Op::open_tree: return raw::call(SYS_open_tree, dir(0), s(1), n(2) | OPEN_TREE_CLOEXEC);
    case Op::mount_setattr: return op_mount_setattr(c, a);
    case Op::pivot_root: return raw::call(SYS_pivot_root, s(0), s(1));
    case Op::mask_path: return op_mask_path(c, a);
    case Op::read_only_path: return op_read_only_path(c, a);
    case Op::clone3: return op_clone3(c, a, second);
    case Op::fork_lane: return op_fork_lane(c, a, second);
    case Op::unshare: return raw::call(SYS_unshare, n(0));
    case Op::setns: return raw::call(SYS_setns, n(0), n(1));
    case Op::pidfd_open: return raw::call(SYS_pidfd_open, n(0), 0);
    case Op::pidfd_open_checked: return op_pidfd_open_checked(c, a);
    case Op::setsid: return raw::call(SYS_setsid);
    case Op::controlling_terminal: return raw::call(SYS_ioctl, n(0), TIOCSCTTY, 0);
    case Op::dup3: {
      // dup3 refuses equal numbers; then the descriptor only has to survive exec.
      if (n(0) == n(1)) return raw::call(SYS_fcntl, n(0), F_SETFD, 0);
      return raw::call(SYS_dup3, n(0), n(1), 0);
    }
    case Op::close_range: return raw::call(SYS_close_range, n(0), ~0U, n(1) != 0 ? 4 /* CLOSE_RANGE_CLOEXEC */ : 0);
    case Op::prctl: return raw::call(SYS_prctl, n(0), n(1), n(2), 0, 0);
    case Op::cap_bounding_drop: return raw::call(SYS_prctl, PR_CAPBSET_DROP, n(0), 0, 0, 0);
    case Op::capset: return op_capset(c, a);
    case Op::cap_ambient_raise: return raw::call(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, n(0), 0, 0);
    case Op::setgroups: return op_setgroups(c, a);
    case Op::setresgid: return raw::call(SYS_setresgid, n(0), n(0), n(0));
    case Op::setresuid: return raw::call(SYS_setresuid, n(0), n(0), n(0));
    case Op::become_user: return op_become_user(c, a);
    case Op::prlimit: return op_prlimit(c, a);
    case Op::seccomp_load: return op_seccomp_load(c, a);
    case Op::sethostname: return raw::call(SYS_sethostname, s(0), size(0));
    case Op::setdomainname: return raw::call(SYS_setdomainname, s(0), size(0));
    case Op::resolve_user: return op_resolve_user(c, a, second);
    case Op::write_proc_file: return write_proc_file(c, a);
    case Op::open_proc_file: return open_proc_file(c, a);
    case Op::run_id_mapper: return op_run_id_mapper(c, a);
    case Op::start_helper: return op_start_helper(c, a, second);
    case Op::init_fork: return op_init_fork();
    case Op::init_clone: return op_init_clone(c, a);
    case Op::exec: return op_exec(c, a);
    case Op::wait_go: return op_wait_go(c);
    case Op::proxy_loop: return op_proxy_loop(c, a);
    case Op::sleep_ms: return sleep_ms(n(0));
    case Op::die_with_parent: return op_die_with_parent(c);
    case Op::pty_open: return op_pty_open(c, a, second);
    case Op::set_window_size: return set_window_size(c, a);
    case Op::netlink_open: return op_netlink_open(c, a);
    case Op::netlink: return op_netlink(c, a);
    case Op::link_index: return link_index(static_cast<int>(n(0)), s(1));
    case Op::socket_listen: return op_socket_listen(c, a);
    case Op::kill_process: return raw::call(SYS_pidfd_send_signal, n(0), SIGKILL, nullptr, 0);
    case Op::remove_cgroup: return op_remove_cgroup(s(0));
    case Op::device_filter: return attach_device_filter(static_cast<int>(n(0)), s(1), size(1));
    case Op::delete_link: return op_delete_link(c, a);
    case Op::release_network: return release_network(s(0), s(1), s(2), size(2), static_cast<int>(n(3)), janitor_patience_ms);
    case Op::call: return call_function(c, n(0));
    case Op::count: break;
  }
  return -ENOSYS;
}

}  // namespace drydock::plan::executor
