// What a step may do: one entry per system call (or per inseparable group of calls), with names and kinds
// of its parameters. The printer, the JSON, the error messages and the executor all read this one table.
//
// Example: ops::mkdir("/run/x", 0700) is a Call{Op::mkdir, {"/run/x", 0700}}; info(Op::mkdir).name is "mkdir".
// Source: section 2 of the manual; each function below is named after the page it comes from.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace drydock::plan {

// A lane is one process of a launch.
enum class Lane : std::uint8_t { monitor, joiner, payload, proxy };
inline constexpr int lane_count = 4;

// A value known only at run time: a descriptor, a pid, an interface index. Printed as <name>.
struct Slot {
  std::uint16_t index = 0xffff;
  bool valid() const { return index != 0xffff; }
  bool operator==(const Slot&) const = default;
};

// Raw bytes (a netlink message, a BPF program, an argv block), printed by length only.
struct Bytes {
  std::string data;
  std::string shown;  // how the printer says it
};

using Arg = std::variant<std::int64_t, std::string, Bytes, Slot>;

// How an argument prints.
enum class Kind : std::uint8_t {
  text, path, fd, pid, number, octal, bytes, strings,  // strings: a NUL separated block (argv, envp)
  open_flags, resolve_flags, clone_flags, mount_flags, mount_attr, open_tree_flags, move_mount_flags,
  umount_flags, fsmount_flags, propagation, signal, capability, resource, device, prctl_option, ioctl_request, socket_family, socket_type, netlink_protocol
};

enum class Op : std::uint8_t {
  // files
  mkdir, mkdirat, rmdir, unlink, remove_tree, remove_tree_mapped, open, openat, open_in_root, mkdirs_in_root, close, write_file, write_file_at,
  create_file, create_file_at, symlinkat, mknodat, fchownat, linkat, chdir, chdir_in_root, fchdir, chroot, check_cwd, send_fd, pipe,
  // mounts
  mount, umount2, fsopen, fsconfig_string, fsconfig_flag, fsconfig_fd, fsconfig_create, fsmount, move_mount,
  open_tree, mount_setattr, pivot_root, mask_path, read_only_path,
  // processes
  clone3, fork_lane, unshare, setns, pidfd_open, pidfd_open_checked, setsid, controlling_terminal, dup3, close_range, prctl,
  cap_bounding_drop, capset, cap_ambient_raise, setgroups, setresgid, setresuid, become_user, prlimit, seccomp_load, sethostname, setdomainname,
  resolve_user, write_proc_file, open_proc_file, run_id_mapper, start_helper, init_fork, init_clone, exec, wait_go, proxy_loop, sleep_ms, die_with_parent,
  // terminals
  pty_open, set_window_size,
  // network
  netlink_open, netlink, link_index, socket_listen,
  // undo-only and shared things
  kill_process, remove_cgroup, device_filter, delete_link, release_network,
  // a function of the program that links the executor
  call,
  count
};

struct Parameter {
  std::string_view name;
  Kind kind;
};

struct OpInfo {
  std::string_view name;          // as printed: "mkdir"
  std::span<const Parameter> parameters;
  std::string_view manual;        // "mkdir(2)"
};

const OpInfo& info(Op op);

// A process comes of it: its pid into the step's slot, a pidfd into the next.
constexpr bool makes_process(Op op) {
  return op == Op::clone3 || op == Op::fork_lane || op == Op::start_helper;
}

// The descriptors of a helper.
inline constexpr int helper_ready_fd = 3, helper_exit_fd = 4;

struct Call {
  Op op;
  std::vector<Arg> args;
};

// Constructors of calls. Paths are strings; a Slot stands wherever a descriptor or a pid is wanted.
namespace ops {
// files
Call mkdir(std::string path, int mode);
Call mkdirat(Slot dir, std::string name, int mode);
Call rmdir(std::string path);
Call unlink(std::string path);
Call remove_tree(std::string path);
// As root of a user namespace with these maps (newuidmap(1) writes them), where files belong to others of its ids.
Call remove_tree_mapped(std::string path, std::string uids, std::string gids);
Call open(std::string path, int flags, int mode = 0);
Call openat(Slot dir, std::string path, int flags, int mode = 0);
// openat2(RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS): `path` cannot leave `root`, whatever links it holds.
Call open_in_root(Slot root, std::string path, int flags);
// Creates each missing directory of `path` below `root` without ever following a link out; result: an O_PATH fd of the last one.
// With `last_is_file` the last component is created as an empty regular file instead.
Call mkdirs_in_root(Slot root, std::string path, int mode, bool last_is_file = false);
Call close(Slot fd);
Call write_file(std::string path, std::string data);               // open(O_WRONLY), write, close
Call write_file_at(Slot dir, std::string name, std::string data);  // the same below a descriptor
Call create_file(std::string path, std::string data, int mode);    // O_CREAT | O_EXCL
Call create_file_at(Slot dir, std::string name, std::string data, int mode);
Call symlinkat(std::string target, Slot dir, std::string name);
Call mknodat(Slot dir, std::string name, int mode, unsigned major, unsigned minor);
Call fchownat(std::string path, std::int64_t uid, std::int64_t gid);
Call linkat(Slot fd, std::string path);  // gives an O_TMPFILE its name
Call chdir(std::string path);
Call fchdir(Slot fd);
Call chroot(std::string path);
Call check_cwd();                        // getcwd must begin with "/": CVE-2024-21626
Call send_fd(Slot fd);                   // hands a descriptor to the caller over the control socket
Call pipe();                             // read end into the step's slot, write end into the next
// mounts: a Slot as `from`/`dir`, {} for AT_FDCWD
Call mount(std::string source, std::string target, std::string type, std::int64_t flags, std::string data);
Call umount2(std::string target, int flags);
Call fsopen(std::string type);
Call fsconfig_string(Slot fs, std::string key, std::string value);
Call fsconfig_flag(Slot fs, std::string key);
Call fsconfig_fd(Slot fs, std::string key, Slot fd);
Call fsconfig_create(Slot fs);
Call fsmount(Slot fs, std::int64_t attributes);
Call move_mount(Slot from, Slot to_dir, std::string to_path);  // to_path "" mounts on the descriptor itself
Call open_tree(Slot dir, std::string path, std::int64_t flags);
Call mount_setattr(Slot mount, std::string path, bool recursive, std::int64_t set, std::int64_t clear,
                   std::int64_t propagation = 0, Slot userns = {});
Call pivot_root(std::string new_root, std::string put_old);
// Hides `path` below `root` (missing is fine): a read-only empty tmpfs over a directory, /dev/null (verified 1:3) over a file.
Call mask_path(Slot root, std::string path, Slot null_device);
// Binds `path` below `root` on itself, read-only (missing is fine). The mount is read-only before it is visible.
Call read_only_path(Slot root, std::string path);
// processes
// `lane` is what the child goes on with; the pidfd goes to the slot that follows the step's own.
Call clone3(std::int64_t flags, Slot cgroup, Lane lane);
Call fork_lane(Lane lane);
Call unshare(std::int64_t flags);
Call setns(Slot fd, std::int64_t flags);
Call pidfd_open(Slot pid);
// pidfd of `pid` if its start time (clock ticks) is still `start_time`, else ESRCH: a reused pid is not joined.
Call pidfd_open_checked(std::int64_t pid, std::int64_t start_time);
Call setsid();
Call controlling_terminal(Slot fd);      // TIOCSCTTY
Call dup3(Slot from, int to);
Call close_range(unsigned first, bool cloexec);
Call prctl(int option, std::int64_t a, std::int64_t b = 0);
Call cap_bounding_drop(int capability);
Call capset(std::int64_t effective, std::int64_t permitted, std::int64_t inheritable);
Call cap_ambient_raise(int capability);
Call setgroups(std::vector<std::uint32_t> groups);
Call setresgid(std::int64_t gid);
Call setresuid(std::int64_t uid);
// Becomes the user that resolve_user found (groups, gid, uid in this order).
Call become_user(Slot user);
// Hard limits above the caller's own are clamped to it (result: the hard limit that was set).
Call prlimit(int resource, std::int64_t soft, std::int64_t hard);
Call seccomp_load(std::string program);
Call sethostname(std::string name);
Call setdomainname(std::string name);
// "user[:group]" by name or number, looked up in /etc/passwd and /etc/group below `root`. Sets three slots: uid, gid, and
// remembers home and groups for become_user and exec.
Call resolve_user(Slot root, std::string user);
Call write_proc_file(Slot pid, std::string name, std::string data);  // /proc/<pid>/<name>
Call open_proc_file(Slot pid, std::string name, int flags);             // the same, opened
Call run_id_mapper(std::string program, Slot pid, std::string map);  // newuidmap(1) / newgidmap(1)
// A program of the host that works for the container as long as it lives: `program pid words...`. Its result is the helper's pid, the
// pidfd goes to the slot that follows. It writes a byte to helper_ready_fd when it is ready, and may end when helper_exit_fd says
// that the monitor has ended.
Call start_helper(std::string program, Slot pid, std::vector<std::string> words);
Call init_fork();                        // pid 1 stays as reaper and forwarder, the child goes on with the lane
// The same into a user namespace of the child's own (`flags` has CLONE_NEWUSER and may have more): pid 1 writes the maps, whose
// outer ids are those of its own namespace, and stays out of the child's reach. /proc must show the lane's pid namespace.
Call init_clone(std::int64_t flags, std::string uids, std::string gids);
Call exec(std::vector<std::string> argv, std::vector<std::string> env, std::string search_path);
Call wait_go();                          // waits for the caller's word (create/start)
Call proxy_loop(std::vector<Slot> listeners, std::string address, std::vector<int> ports);
Call sleep_ms(int milliseconds);
Call die_with_parent();                  // PR_SET_PDEATHSIG, then makes sure that the parent still lives
// terminals
Call pty_open(Slot devpts);              // ptmx of a detached devpts; the peer goes to the next slot (TIOCGPTPEER)
Call set_window_size(Slot pty, int rows, int columns);
// network. A patch writes the value of a slot into the message at an offset (32 bits, host order).
struct Patch {
  std::size_t offset;
  Slot slot;
};
Call netlink_open(int protocol);
Call netlink(Slot socket, Bytes message, std::vector<Patch> patches = {});
Call link_index(Slot socket, std::string name);
Call socket_listen(int family, int type, std::string address, int port);
// undo
Call kill_process(Slot pidfd);
Call remove_cgroup(std::string path);
// Not an undo: loads a BPF_PROG_TYPE_CGROUP_DEVICE program (cgroups/device_program.hpp) and attaches it to the group.
Call device_filter(Slot group, std::string program);
Call delete_link(std::string name, Slot index = {});
Call release_network(std::string pool, std::string ledgers, Bytes teardown, int linger_ms);
Call call(int function);
}  // namespace ops

}  // namespace drydock::plan
