#include <drydock/plan/op.hpp>

#include <fcntl.h>

#include <array>

namespace drydock::plan {

namespace {

using K = Kind;

struct Row {
  Op op;
  std::string_view name, manual;
  std::array<Parameter, 7> parameters;
};

// The table: names as the manual pages have them; parameters in the order of the constructors below.
constexpr Row rows[] = {
    {Op::mkdir, "mkdir", "mkdir(2)", {{{"path", K::path}, {"mode", K::octal}}}},
    {Op::mkdirat, "mkdirat", "mkdir(2)", {{{"dir", K::fd}, {"name", K::path}, {"mode", K::octal}}}},
    {Op::rmdir, "rmdir", "rmdir(2)", {{{"path", K::path}}}},
    {Op::unlink, "unlink", "unlink(2)", {{{"path", K::path}}}},
    {Op::remove_tree, "remove_tree", "unlinkat(2)", {{{"path", K::path}}}},
    {Op::remove_tree_mapped, "remove_tree_mapped", "user_namespaces(7)", {{{"path", K::path}, {"uids", K::strings}, {"gids", K::strings}}}},
    {Op::open, "open", "open(2)", {{{"path", K::path}, {"flags", K::open_flags}, {"mode", K::octal}}}},
    {Op::openat, "openat", "open(2)", {{{"dir", K::fd}, {"name", K::path}, {"flags", K::open_flags}, {"mode", K::octal}}}},
    {Op::open_in_root, "openat2", "openat2(2)", {{{"root", K::fd}, {"path", K::path}, {"flags", K::open_flags}}}},
    {Op::mkdirs_in_root, "mkdirs_in_root", "openat2(2)", {{{"root", K::fd}, {"path", K::path}, {"mode", K::octal}, {"as_file", K::number}}}},
    {Op::close, "close", "close(2)", {{{"fd", K::fd}}}},
    {Op::write_file, "write", "write(2)", {{{"path", K::path}, {"data", K::text}}}},
    {Op::write_file_at, "write", "write(2)", {{{"dir", K::fd}, {"name", K::path}, {"data", K::text}}}},
    {Op::create_file, "create", "open(2)", {{{"path", K::path}, {"data", K::text}, {"mode", K::octal}}}},
    {Op::create_file_at, "create", "open(2)", {{{"dir", K::fd}, {"name", K::path}, {"data", K::text}, {"mode", K::octal}}}},
    {Op::symlinkat, "symlinkat", "symlink(2)", {{{"target", K::path}, {"dir", K::fd}, {"name", K::path}}}},
    {Op::mknodat, "mknodat", "mknod(2)", {{{"dir", K::fd}, {"name", K::path}, {"mode", K::octal}, {"major", K::number}, {"minor", K::number}}}},
    {Op::fchownat, "chown", "chown(2)", {{{"path", K::path}, {"uid", K::number}, {"gid", K::number}}}},
    {Op::linkat, "linkat", "link(2)", {{{"fd", K::fd}, {"path", K::path}}}},
    {Op::chdir, "chdir", "chdir(2)", {{{"path", K::path}}}},
    {Op::chdir_in_root, "chdir", "chdir(2)", {{{"path", K::path}}}},
    {Op::fchdir, "fchdir", "chdir(2)", {{{"fd", K::fd}}}},
    {Op::chroot, "chroot", "chroot(2)", {{{"path", K::path}}}},
    {Op::check_cwd, "getcwd", "getcwd(2)", {}},
    {Op::send_fd, "sendmsg", "unix(7)", {{{"fd", K::fd}}}},
    {Op::pipe, "pipe2", "pipe(2)", {}},
    {Op::mount, "mount", "mount(2)", {{{"source", K::path}, {"target", K::path}, {"type", K::text}, {"flags", K::mount_flags}, {"data", K::text}}}},
    {Op::umount2, "umount2", "umount(2)", {{{"target", K::path}, {"flags", K::umount_flags}}}},
    {Op::fsopen, "fsopen", "fsopen(2)", {{{"type", K::text}}}},
    {Op::fsconfig_string, "fsconfig", "fsconfig(2)", {{{"fs", K::fd}, {"key", K::text}, {"value", K::text}}}},
    {Op::fsconfig_flag, "fsconfig", "fsconfig(2)", {{{"fs", K::fd}, {"flag", K::text}}}},
    {Op::fsconfig_fd, "fsconfig", "fsconfig(2)", {{{"fs", K::fd}, {"key", K::text}, {"fd", K::fd}}}},
    {Op::fsconfig_create, "fsconfig", "fsconfig(2)", {{{"fs", K::fd}}}},
    {Op::fsmount, "fsmount", "fsmount(2)", {{{"fs", K::fd}, {"attributes", K::mount_attr}}}},
    {Op::move_mount, "move_mount", "move_mount(2)", {{{"from", K::fd}, {"to", K::fd}, {"path", K::path}}}},
    {Op::open_tree, "open_tree", "open_tree(2)", {{{"dir", K::fd}, {"path", K::path}, {"flags", K::open_tree_flags}}}},
    {Op::mount_setattr, "mount_setattr", "mount_setattr(2)",
     {{{"mount", K::fd}, {"path", K::path}, {"recursive", K::number}, {"set", K::mount_attr}, {"clear", K::mount_attr}, {"propagation", K::propagation}, {"userns", K::fd}}}},
    {Op::pivot_root, "pivot_root", "pivot_root(2)", {{{"new_root", K::path}, {"put_old", K::path}}}},
    {Op::mask_path, "mask_path", "move_mount(2)", {{{"root", K::fd}, {"path", K::path}, {"flags", K::open_flags}, {"null", K::fd}}}},
    {Op::read_only_path, "read_only_path", "mount_setattr(2)", {{{"root", K::fd}, {"path", K::path}, {"flags", K::open_flags}}}},
    {Op::clone3, "clone3", "clone(2)", {{{"flags", K::clone_flags}, {"cgroup", K::fd}, {"lane", K::number}}}},
    {Op::fork_lane, "clone3", "clone(2)", {{{"lane", K::number}}}},
    {Op::unshare, "unshare", "unshare(2)", {{{"flags", K::clone_flags}}}},
    {Op::setns, "setns", "setns(2)", {{{"fd", K::fd}, {"flags", K::clone_flags}}}},
    {Op::pidfd_open, "pidfd_open", "pidfd_open(2)", {{{"pid", K::pid}}}},
    {Op::pidfd_open_checked, "pidfd_open", "pidfd_open(2)", {{{"pid", K::number}, {"start_time", K::number}}}},
    {Op::setsid, "setsid", "setsid(2)", {}},
    {Op::controlling_terminal, "ioctl TIOCSCTTY", "ioctl_tty(2)", {{{"terminal", K::fd}}}},
    {Op::dup3, "dup3", "dup(2)", {{{"from", K::fd}, {"to", K::number}}}},
    {Op::close_range, "close_range", "close_range(2)", {{{"first", K::number}, {"cloexec", K::number}}}},
    {Op::prctl, "prctl", "prctl(2)", {{{"option", K::prctl_option}, {"arg2", K::number}, {"arg3", K::number}}}},
    {Op::cap_bounding_drop, "prctl PR_CAPBSET_DROP", "capabilities(7)", {{{"capability", K::capability}}}},
    {Op::capset, "capset", "capset(2)", {{{"effective", K::capability}, {"permitted", K::capability}, {"inheritable", K::capability}}}},
    {Op::cap_ambient_raise, "prctl PR_CAP_AMBIENT_RAISE", "capabilities(7)", {{{"capability", K::capability}}}},
    {Op::setgroups, "setgroups", "setgroups(2)", {{{"groups", K::bytes}}}},
    {Op::setresgid, "setresgid", "setresuid(2)", {{{"gid", K::number}}}},
    {Op::setresuid, "setresuid", "setresuid(2)", {{{"uid", K::number}}}},
    {Op::become_user, "setresuid", "setresuid(2)", {{{"uid", K::number}, {"gid", K::number}}}},
    {Op::prlimit, "prlimit64", "prlimit(2)", {{{"resource", K::resource}, {"soft", K::number}, {"hard", K::number}}}},
    {Op::seccomp_load, "seccomp", "seccomp(2)", {{{"program", K::bytes}}}},
    {Op::sethostname, "sethostname", "sethostname(2)", {{{"name", K::text}}}},
    {Op::setdomainname, "setdomainname", "setdomainname(2)", {{{"name", K::text}}}},
    {Op::resolve_user, "resolve_user", "passwd(5)", {{{"root", K::fd}, {"user", K::text}}}},
    {Op::write_proc_file, "write", "proc(5)", {{{"pid", K::pid}, {"file", K::path}, {"data", K::text}}}},
    {Op::open_proc_file, "open", "proc(5)", {{{"pid", K::pid}, {"file", K::path}, {"flags", K::open_flags}}}},
    {Op::run_id_mapper, "map_ids", "newuidmap(1)", {{{"program", K::path}, {"pid", K::pid}, {"map", K::strings}}}},
    {Op::start_helper, "start_helper", "execve(2)", {{{"program", K::path}, {"pid", K::pid}, {"words", K::strings}}}},
    {Op::init_fork, "clone3", "clone(2)", {}},
    {Op::init_clone, "clone", "clone(2)", {{{"flags", K::clone_flags}, {"uid_map", K::text}, {"gid_map", K::text}}}},
    {Op::exec, "execve", "execve(2)", {{{"argv", K::strings}, {"env", K::strings}, {"path", K::text}}}},
    {Op::wait_go, "wait_go", "unix(7)", {}},
    {Op::proxy_loop, "proxy", "epoll(7)", {{{"address", K::text}}}},
    {Op::sleep_ms, "nanosleep", "nanosleep(2)", {{{"milliseconds", K::number}}}},
    {Op::die_with_parent, "prctl PR_SET_PDEATHSIG", "prctl(2)", {}},
    {Op::pty_open, "ioctl TIOCGPTPEER", "ioctl_tty(2)", {{{"devpts", K::fd}}}},
    {Op::set_window_size, "ioctl TIOCSWINSZ", "ioctl_tty(2)", {{{"terminal", K::fd}, {"rows", K::number}, {"columns", K::number}}}},
    {Op::netlink_open, "socket AF_NETLINK", "netlink(7)", {{{"protocol", K::netlink_protocol}}}},
    {Op::netlink, "netlink", "rtnetlink(7)", {{{"socket", K::fd}, {"message", K::bytes}}}},
    {Op::link_index, "ioctl SIOCGIFINDEX", "netdevice(7)", {{{"socket", K::fd}, {"link", K::text}}}},
    {Op::socket_listen, "bind", "bind(2)", {{{"family", K::socket_family}, {"type", K::socket_type}, {"address", K::text}, {"port", K::number}}}},
    {Op::kill_process, "pidfd_send_signal", "pidfd_send_signal(2)", {{{"pidfd", K::fd}}}},
    {Op::remove_cgroup, "rmdir", "cgroups(7)", {{{"path", K::path}}}},
    {Op::device_filter, "bpf PROG_ATTACH", "bpf(2)", {{{"group", K::fd}, {"program", K::bytes}}}},
    {Op::delete_link, "netlink", "rtnetlink(7)", {{{"link", K::text}, {"index", K::number}}}},
    {Op::release_network, "release_network", "flock(2)", {{{"pool", K::path}, {"ledgers", K::path}, {"teardown", K::bytes}, {"linger_ms", K::number}}}},
    {Op::call, "call", "docs/plan.md", {{{"function", K::number}}}},
};
static_assert(std::size(rows) == static_cast<std::size_t>(Op::count), "every Op has a row");

constexpr bool rows_in_order() {
  for (std::size_t index = 0; index < std::size(rows); ++index)
    if (static_cast<std::size_t>(rows[index].op) != index) return false;
  return true;
}
static_assert(rows_in_order(), "rows stand in the order of the enum");

constexpr std::size_t parameter_count(const Row& row) {
  std::size_t count = 0;
  while (count < row.parameters.size() && !row.parameters[count].name.empty()) ++count;
  return count;
}

constexpr auto make_infos() {
  std::array<OpInfo, std::size(rows)> infos{};
  for (std::size_t index = 0; index < std::size(rows); ++index)
    infos[index] = {rows[index].name, {rows[index].parameters.data(), parameter_count(rows[index])}, rows[index].manual};
  return infos;
}
constexpr auto infos = make_infos();

std::string block(const std::vector<std::string>& strings) {
  std::string text;
  for (const std::string& part : strings) text += part + '\0';
  return text;
}

// A braced list of arguments would copy each of them once more.
template <typename... Args>
Call made(Op op, Args&&... args) {
  Call call{op, {}};
  call.args.reserve(sizeof...(args));
  (call.args.emplace_back(std::forward<Args>(args)), ...);
  return call;
}

// newuidmap(1) takes the numbers of the map as arguments.
Bytes map_words(std::string map) {
  std::string words;
  for (const char c : map) words += c == ' ' || c == '\n' ? '\0' : c;
  return Bytes{std::move(words), std::move(map)};
}

std::string shown_bytes(std::size_t size, std::string_view unit) {
  return std::to_string(size) + " " + std::string(unit);
}

}  // namespace

const OpInfo& info(Op op) {
  return infos[static_cast<std::size_t>(op)];
}

std::string_view lane_name(Lane lane) {
  constexpr std::string_view names[] = {"monitor", "joiner", "payload", "proxy"};
  return names[static_cast<std::size_t>(lane)];
}

namespace ops {

using I = std::int64_t;

Call mkdir(std::string path, int mode) { return made(Op::mkdir, std::move(path), I{mode}); }
Call mkdirat(Slot dir, std::string name, int mode) { return made(Op::mkdirat, dir, std::move(name), I{mode}); }
Call rmdir(std::string path) { return made(Op::rmdir, std::move(path)); }
Call unlink(std::string path) { return made(Op::unlink, std::move(path)); }
Call remove_tree(std::string path) { return made(Op::remove_tree, std::move(path)); }
Call remove_tree_mapped(std::string path, std::string uids, std::string gids) {
  return made(Op::remove_tree_mapped, std::move(path), map_words(std::move(uids)), map_words(std::move(gids)));
}
Call open(std::string path, int flags, int mode) { return made(Op::open, std::move(path), I{flags}, I{mode}); }
Call openat(Slot dir, std::string path, int flags, int mode) { return made(Op::openat, dir, std::move(path), I{flags}, I{mode}); }
Call open_in_root(Slot root, std::string path, int flags) { return made(Op::open_in_root, root, std::move(path), I{flags}); }
Call mkdirs_in_root(Slot root, std::string path, int mode, bool last_is_file) {
  return made(Op::mkdirs_in_root, root, std::move(path), I{mode}, I{last_is_file});
}
Call close(Slot fd) { return made(Op::close, fd); }
Call write_file(std::string path, std::string data) { return made(Op::write_file, std::move(path), std::move(data)); }
Call write_file_at(Slot dir, std::string name, std::string data) { return made(Op::write_file_at, dir, std::move(name), std::move(data)); }
Call create_file(std::string path, std::string data, int mode) { return made(Op::create_file, std::move(path), std::move(data), I{mode}); }
Call create_file_at(Slot dir, std::string name, std::string data, int mode) {
  return made(Op::create_file_at, dir, std::move(name), std::move(data), I{mode});
}
Call symlinkat(std::string target, Slot dir, std::string name) { return made(Op::symlinkat, std::move(target), dir, std::move(name)); }
Call mknodat(Slot dir, std::string name, int mode, unsigned major, unsigned minor) {
  return made(Op::mknodat, dir, std::move(name), I{mode}, I{major}, I{minor});
}
Call fchownat(std::string path, I uid, I gid) { return made(Op::fchownat, std::move(path), uid, gid); }
Call linkat(Slot fd, std::string path) { return made(Op::linkat, fd, std::move(path)); }
Call chdir(std::string path) { return made(Op::chdir, std::move(path)); }
Call fchdir(Slot fd) { return made(Op::fchdir, fd); }
Call chroot(std::string path) { return made(Op::chroot, std::move(path)); }
Call check_cwd() { return made(Op::check_cwd); }
Call send_fd(Slot fd) { return made(Op::send_fd, fd); }
Call pipe() { return made(Op::pipe); }
Call mount(std::string source, std::string target, std::string type, I flags, std::string data) {
  return made(Op::mount, std::move(source), std::move(target), std::move(type), flags, std::move(data));
}
Call umount2(std::string target, int flags) { return made(Op::umount2, std::move(target), I{flags}); }
Call fsopen(std::string type) { return made(Op::fsopen, std::move(type)); }
Call fsconfig_string(Slot fs, std::string key, std::string value) { return made(Op::fsconfig_string, fs, std::move(key), std::move(value)); }
Call fsconfig_flag(Slot fs, std::string key) { return made(Op::fsconfig_flag, fs, std::move(key)); }
Call fsconfig_fd(Slot fs, std::string key, Slot fd) { return made(Op::fsconfig_fd, fs, std::move(key), fd); }
Call fsconfig_create(Slot fs) { return made(Op::fsconfig_create, fs); }
Call fsmount(Slot fs, I attributes) { return made(Op::fsmount, fs, attributes); }
Call move_mount(Slot from, Slot to_dir, std::string to_path) { return made(Op::move_mount, from, to_dir, std::move(to_path)); }
Call open_tree(Slot dir, std::string path, I flags) { return made(Op::open_tree, dir, std::move(path), flags); }
Call mount_setattr(Slot mount, std::string path, bool recursive, I set, I clear, I propagation, Slot userns) {
  return made(Op::mount_setattr, mount, std::move(path), I{recursive}, set, clear, propagation, userns);
}
Call pivot_root(std::string new_root, std::string put_old) { return made(Op::pivot_root, std::move(new_root), std::move(put_old)); }
Call mask_path(Slot root, std::string path, Slot null_device) { return made(Op::mask_path, root, std::move(path), I{O_PATH}, null_device); }
Call read_only_path(Slot root, std::string path) { return made(Op::read_only_path, root, std::move(path), I{O_PATH}); }
Call clone3(I flags, Slot cgroup, Lane lane) { return made(Op::clone3, flags, cgroup, I(lane)); }
Call fork_lane(Lane lane) { return made(Op::fork_lane, I(lane)); }
Call unshare(I flags) { return made(Op::unshare, flags); }
Call setns(Slot fd, I flags) { return made(Op::setns, fd, flags); }
Call pidfd_open(Slot pid) { return made(Op::pidfd_open, pid); }
Call pidfd_open_checked(I pid, I start_time) { return made(Op::pidfd_open_checked, pid, start_time); }
Call setsid() { return made(Op::setsid); }
Call controlling_terminal(Slot fd) { return made(Op::controlling_terminal, fd); }
Call dup3(Slot from, int to) { return made(Op::dup3, from, I{to}); }
Call close_range(unsigned first, bool cloexec) { return made(Op::close_range, I{first}, I{cloexec}); }
Call prctl(int option, I a, I b) { return made(Op::prctl, I{option}, a, b); }
Call cap_bounding_drop(int capability) { return made(Op::cap_bounding_drop, I{capability}); }
Call capset(I effective, I permitted, I inheritable) { return made(Op::capset, effective, permitted, inheritable); }
Call cap_ambient_raise(int capability) { return made(Op::cap_ambient_raise, I{capability}); }
Call setgroups(std::vector<std::uint32_t> groups) {
  std::string shown;
  for (const std::uint32_t group : groups) shown += (shown.empty() ? "" : " ") + std::to_string(group);
  return made(Op::setgroups, Bytes{std::string(reinterpret_cast<const char*>(groups.data()), groups.size() * sizeof groups[0]), "[" + shown + "]"});
}
Call setresgid(I gid) { return made(Op::setresgid, gid); }
Call setresuid(I uid) { return made(Op::setresuid, uid); }
Call become_user(Slot user) { return made(Op::become_user, user, Slot{static_cast<std::uint16_t>(user.index + 1)}); }
Call prlimit(int resource, I soft, I hard) { return made(Op::prlimit, I{resource}, soft, hard); }
Call seccomp_load(std::string program) {
  std::string shown = shown_bytes(program.size() / 8, "instructions");
  return made(Op::seccomp_load, Bytes{std::move(program), std::move(shown)});
}
Call device_filter(Slot group, std::string program) {
  std::string shown = shown_bytes(program.size() / 8, "instructions");
  return made(Op::device_filter, group, Bytes{std::move(program), std::move(shown)});
}
Call sethostname(std::string name) { return made(Op::sethostname, std::move(name)); }
Call setdomainname(std::string name) { return made(Op::setdomainname, std::move(name)); }
Call resolve_user(Slot root, std::string user) { return made(Op::resolve_user, root, std::move(user)); }
Call write_proc_file(Slot pid, std::string name, std::string data) { return made(Op::write_proc_file, pid, std::move(name), std::move(data)); }
Call open_proc_file(Slot pid, std::string name, int flags) { return made(Op::open_proc_file, pid, std::move(name), I{flags}); }
Call run_id_mapper(std::string program, Slot pid, std::string map) { return made(Op::run_id_mapper, std::move(program), pid, map_words(std::move(map))); }
Call start_helper(std::string program, Slot pid, std::vector<std::string> words) {
  std::string shown;
  for (const std::string& word : words) shown += (shown.empty() ? "" : " ") + word;
  return made(Op::start_helper, std::move(program), pid, Bytes{block(words), std::move(shown)});
}
Call init_fork() { return made(Op::init_fork); }
Call init_clone(I flags, std::string uids, std::string gids) { return made(Op::init_clone, flags, std::move(uids), std::move(gids)); }
Call exec(std::vector<std::string> argv, std::vector<std::string> env, std::string search_path) {
  std::string shown;
  for (const std::string& word : argv) shown += (shown.empty() ? "\"" : ", \"") + word + "\"";
  return made(Op::exec, Bytes{block(argv), "[" + shown + "]"}, Bytes{block(env), shown_bytes(env.size(), "variables")}, std::move(search_path));
}
Call wait_go() { return made(Op::wait_go); }
Call proxy_loop(std::vector<Slot> listeners, std::string address, std::vector<int> ports) {
  Call result{Op::proxy_loop, {std::move(address)}};
  for (std::size_t index = 0; index < listeners.size(); ++index) {
    result.args.emplace_back(listeners[index]);
    result.args.emplace_back(I{ports[index]});
  }
  return result;
}
Call sleep_ms(int milliseconds) { return made(Op::sleep_ms, I{milliseconds}); }
Call die_with_parent() { return made(Op::die_with_parent); }
Call pty_open(Slot devpts) { return made(Op::pty_open, devpts); }
Call set_window_size(Slot pty, int rows_count, int columns) { return made(Op::set_window_size, pty, I{rows_count}, I{columns}); }
Call netlink_open(int protocol) { return made(Op::netlink_open, I{protocol}); }
Call netlink(Slot socket, Bytes message, std::vector<Patch> patches) {
  Call result{Op::netlink, {socket, std::move(message)}};
  for (const Patch& patch : patches) {
    result.args.emplace_back(static_cast<I>(patch.offset));
    result.args.emplace_back(patch.slot);
  }
  return result;
}
Call link_index(Slot socket, std::string name) { return made(Op::link_index, socket, std::move(name)); }
Call socket_listen(int family, int type, std::string address, int port) {
  return made(Op::socket_listen, I{family}, I{type}, std::move(address), I{port});
}
Call kill_process(Slot pidfd) { return made(Op::kill_process, pidfd); }
Call remove_cgroup(std::string path) { return made(Op::remove_cgroup, std::move(path)); }
Call delete_link(std::string name, Slot index) { return made(Op::delete_link, std::move(name), index); }
Call release_network(std::string pool, std::string ledgers, Bytes teardown, int linger_ms) {
  return made(Op::release_network, std::move(pool), std::move(ledgers), std::move(teardown), I{linger_ms});
}
Call call(int function) { return made(Op::call, I{function}); }

}  // namespace ops

}  // namespace drydock::plan
