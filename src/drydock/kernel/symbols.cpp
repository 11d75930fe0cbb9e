#include <drydock/kernel/symbols.hpp>

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/mount.h>
#include <linux/netlink.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <span>

namespace drydock::symbols {

namespace {

struct Symbol {
  std::uint64_t value;
  std::string_view name;
};

std::string hexadecimal(std::uint64_t value) {
  std::array<char, 20> buffer;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, 16).ptr;
  return "0x" + std::string(buffer.data(), end);
}

std::string join_bits(std::uint64_t flags, std::span<const Symbol> table) {
  std::string text;
  const auto add = [&text](std::string_view name) {
    if (!text.empty()) text += '|';
    text += name;
  };
  for (const Symbol& symbol : table)
    if (symbol.value != 0 && (flags & symbol.value) == symbol.value) {
      add(symbol.name);
      flags &= ~symbol.value;
    }
  if (flags != 0) add(hexadecimal(flags));
  return text.empty() ? "0" : text;
}

std::string name_of(std::uint64_t value, std::span<const Symbol> table) {
  for (const Symbol& symbol : table)
    if (symbol.value == value) return std::string(symbol.name);
  return hexadecimal(value);
}

std::string upper(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return result;
}

std::optional<int> number_of(std::string_view name, std::span<const Symbol> table, std::string_view prefix) {
  std::string wanted = upper(name);
  if (!wanted.starts_with(prefix)) wanted = std::string(prefix) + wanted;
  for (const Symbol& symbol : table)
    if (symbol.name == wanted) return static_cast<int>(symbol.value);
  return std::nullopt;
}

#define SYMBOL(name) \
  Symbol { static_cast<std::uint64_t>(name), #name }

constexpr Symbol clone_table[] = {
    SYMBOL(CLONE_VM), SYMBOL(CLONE_FS), SYMBOL(CLONE_FILES), SYMBOL(CLONE_SIGHAND), SYMBOL(CLONE_PIDFD), SYMBOL(CLONE_PTRACE),
    SYMBOL(CLONE_VFORK), SYMBOL(CLONE_PARENT), SYMBOL(CLONE_THREAD), SYMBOL(CLONE_SYSVSEM), SYMBOL(CLONE_SETTLS),
    SYMBOL(CLONE_PARENT_SETTID), SYMBOL(CLONE_CHILD_CLEARTID), SYMBOL(CLONE_CHILD_SETTID), SYMBOL(CLONE_NEWNS), SYMBOL(CLONE_NEWUTS),
    SYMBOL(CLONE_NEWIPC), SYMBOL(CLONE_NEWUSER), SYMBOL(CLONE_NEWPID), SYMBOL(CLONE_NEWNET), SYMBOL(CLONE_NEWCGROUP),
    SYMBOL(CLONE_NEWTIME), SYMBOL(CLONE_INTO_CGROUP), SYMBOL(CLONE_CLEAR_SIGHAND)};

// The values of mount(2); <sys/mount.h> and <linux/mount.h> disagree about who defines them, so they stand here by number.
constexpr Symbol mount_table[] = {
    {1, "MS_RDONLY"}, {2, "MS_NOSUID"}, {4, "MS_NODEV"}, {8, "MS_NOEXEC"}, {16, "MS_SYNCHRONOUS"}, {32, "MS_REMOUNT"},
    {64, "MS_MANDLOCK"}, {128, "MS_DIRSYNC"}, {256, "MS_NOSYMFOLLOW"}, {1024, "MS_NOATIME"}, {2048, "MS_NODIRATIME"},
    {4096, "MS_BIND"}, {8192, "MS_MOVE"}, {16384, "MS_REC"}, {32768, "MS_SILENT"}, {1 << 17, "MS_UNBINDABLE"},
    {1 << 18, "MS_PRIVATE"}, {1 << 19, "MS_SLAVE"}, {1 << 20, "MS_SHARED"}, {1 << 21, "MS_RELATIME"},
    {1 << 24, "MS_STRICTATIME"}, {1 << 25, "MS_LAZYTIME"}};
constexpr Symbol propagation_table[] = {{1 << 17, "MS_UNBINDABLE"}, {1 << 18, "MS_PRIVATE"}, {1 << 19, "MS_SLAVE"}, {1 << 20, "MS_SHARED"}};
constexpr Symbol mount_attr_table[] = {
    SYMBOL(MOUNT_ATTR_RDONLY), SYMBOL(MOUNT_ATTR_NOSUID), SYMBOL(MOUNT_ATTR_NODEV), SYMBOL(MOUNT_ATTR_NOEXEC),
    SYMBOL(MOUNT_ATTR_STRICTATIME), SYMBOL(MOUNT_ATTR_NOATIME), SYMBOL(MOUNT_ATTR_NODIRATIME), SYMBOL(MOUNT_ATTR_IDMAP),
    SYMBOL(MOUNT_ATTR_NOSYMFOLLOW)};
constexpr Symbol open_tree_table[] = {SYMBOL(OPEN_TREE_CLONE), {O_CLOEXEC, "OPEN_TREE_CLOEXEC"}, SYMBOL(AT_RECURSIVE),
                                      SYMBOL(AT_EMPTY_PATH), SYMBOL(AT_SYMLINK_NOFOLLOW), SYMBOL(AT_NO_AUTOMOUNT)};
constexpr Symbol move_mount_table[] = {SYMBOL(MOVE_MOUNT_F_SYMLINKS), SYMBOL(MOVE_MOUNT_F_EMPTY_PATH), SYMBOL(MOVE_MOUNT_T_SYMLINKS),
                                       SYMBOL(MOVE_MOUNT_T_EMPTY_PATH)};
constexpr Symbol umount_table[] = {{1, "MNT_FORCE"}, {2, "MNT_DETACH"}, {4, "MNT_EXPIRE"}, {8, "UMOUNT_NOFOLLOW"}};
constexpr Symbol fsmount_table[] = {{1, "FSMOUNT_CLOEXEC"}};
constexpr Symbol open_table[] = {SYMBOL(O_WRONLY), SYMBOL(O_RDWR), SYMBOL(O_CREAT), SYMBOL(O_EXCL), SYMBOL(O_NOCTTY), SYMBOL(O_TRUNC),
                                 SYMBOL(O_APPEND), SYMBOL(O_NONBLOCK), SYMBOL(O_SYNC), SYMBOL(O_DIRECT), SYMBOL(O_TMPFILE),
                                 SYMBOL(O_DIRECTORY), SYMBOL(O_NOFOLLOW), SYMBOL(O_NOATIME), SYMBOL(O_CLOEXEC), SYMBOL(O_PATH)};
constexpr Symbol resolve_table[] = {SYMBOL(RESOLVE_NO_XDEV), SYMBOL(RESOLVE_NO_MAGICLINKS), SYMBOL(RESOLVE_NO_SYMLINKS),
                                    SYMBOL(RESOLVE_BENEATH), SYMBOL(RESOLVE_IN_ROOT), SYMBOL(RESOLVE_CACHED)};

constexpr Symbol capability_table[] = {
    {0, "CAP_CHOWN"}, {1, "CAP_DAC_OVERRIDE"}, {2, "CAP_DAC_READ_SEARCH"}, {3, "CAP_FOWNER"}, {4, "CAP_FSETID"}, {5, "CAP_KILL"},
    {6, "CAP_SETGID"}, {7, "CAP_SETUID"}, {8, "CAP_SETPCAP"}, {9, "CAP_LINUX_IMMUTABLE"}, {10, "CAP_NET_BIND_SERVICE"},
    {11, "CAP_NET_BROADCAST"}, {12, "CAP_NET_ADMIN"}, {13, "CAP_NET_RAW"}, {14, "CAP_IPC_LOCK"}, {15, "CAP_IPC_OWNER"},
    {16, "CAP_SYS_MODULE"}, {17, "CAP_SYS_RAWIO"}, {18, "CAP_SYS_CHROOT"}, {19, "CAP_SYS_PTRACE"}, {20, "CAP_SYS_PACCT"},
    {21, "CAP_SYS_ADMIN"}, {22, "CAP_SYS_BOOT"}, {23, "CAP_SYS_NICE"}, {24, "CAP_SYS_RESOURCE"}, {25, "CAP_SYS_TIME"},
    {26, "CAP_SYS_TTY_CONFIG"}, {27, "CAP_MKNOD"}, {28, "CAP_LEASE"}, {29, "CAP_AUDIT_WRITE"}, {30, "CAP_AUDIT_CONTROL"},
    {31, "CAP_SETFCAP"}, {32, "CAP_MAC_OVERRIDE"}, {33, "CAP_MAC_ADMIN"}, {34, "CAP_SYSLOG"}, {35, "CAP_WAKE_ALARM"},
    {36, "CAP_BLOCK_SUSPEND"}, {37, "CAP_AUDIT_READ"}, {38, "CAP_PERFMON"}, {39, "CAP_BPF"}, {40, "CAP_CHECKPOINT_RESTORE"}};

constexpr Symbol resource_table[] = {
    SYMBOL(RLIMIT_CPU), SYMBOL(RLIMIT_FSIZE), SYMBOL(RLIMIT_DATA), SYMBOL(RLIMIT_STACK), SYMBOL(RLIMIT_CORE), SYMBOL(RLIMIT_RSS),
    SYMBOL(RLIMIT_NPROC), SYMBOL(RLIMIT_NOFILE), SYMBOL(RLIMIT_MEMLOCK), SYMBOL(RLIMIT_AS), SYMBOL(RLIMIT_LOCKS),
    SYMBOL(RLIMIT_SIGPENDING), SYMBOL(RLIMIT_MSGQUEUE), SYMBOL(RLIMIT_NICE), SYMBOL(RLIMIT_RTPRIO), SYMBOL(RLIMIT_RTTIME)};

constexpr Symbol prctl_table[] = {SYMBOL(PR_SET_PDEATHSIG), SYMBOL(PR_SET_DUMPABLE), SYMBOL(PR_SET_KEEPCAPS), SYMBOL(PR_SET_NAME),
                                  SYMBOL(PR_SET_SECCOMP), SYMBOL(PR_CAPBSET_DROP), SYMBOL(PR_SET_SECUREBITS), SYMBOL(PR_SET_CHILD_SUBREAPER),
                                  SYMBOL(PR_SET_NO_NEW_PRIVS), SYMBOL(PR_CAP_AMBIENT)};
constexpr Symbol ioctl_table[] = {SYMBOL(TIOCSCTTY), SYMBOL(TIOCSPTLCK), SYMBOL(TIOCGPTPEER), SYMBOL(TIOCSWINSZ), SYMBOL(TIOCGWINSZ)};
constexpr Symbol family_table[] = {SYMBOL(AF_UNIX), SYMBOL(AF_INET), SYMBOL(AF_INET6), SYMBOL(AF_NETLINK), SYMBOL(AF_PACKET)};
constexpr Symbol socket_type_table[] = {SYMBOL(SOCK_STREAM), SYMBOL(SOCK_DGRAM), SYMBOL(SOCK_SEQPACKET), SYMBOL(SOCK_RAW)};
constexpr Symbol netlink_table[] = {SYMBOL(NETLINK_ROUTE), SYMBOL(NETLINK_NETFILTER), SYMBOL(NETLINK_GENERIC)};

#undef SYMBOL

}  // namespace

std::string clone_flags(std::uint64_t flags) { return join_bits(flags, clone_table); }
std::string mount_flags(std::uint64_t flags) { return join_bits(flags, mount_table); }
std::string mount_attributes(std::uint64_t attributes) { return join_bits(attributes, mount_attr_table); }
std::string open_tree_flags(std::uint64_t flags) { return join_bits(flags, open_tree_table); }
std::string move_mount_flags(std::uint64_t flags) { return join_bits(flags, move_mount_table); }
std::string umount_flags(std::uint64_t flags) { return join_bits(flags, umount_table); }
std::string fsmount_flags(std::uint64_t flags) { return join_bits(flags, fsmount_table); }
std::string resolve_flags(std::uint64_t flags) { return join_bits(flags, resolve_table); }
std::string propagation(std::uint64_t flags) { return join_bits(flags, propagation_table); }

std::string open_flags(std::uint64_t flags) {
  // Access modes are a number, not bits, and O_RDONLY is 0. O_TMPFILE holds O_DIRECTORY, O_SYNC holds O_DSYNC.
  const std::string text = join_bits(flags, open_table);
  if ((flags & (O_ACCMODE | O_PATH)) == 0) return text == "0" ? "O_RDONLY" : "O_RDONLY|" + text;
  return text;
}

std::string octal(std::uint64_t mode) {
  std::array<char, 24> buffer;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), mode, 8).ptr;
  return "0" + std::string(buffer.data(), end);
}

std::string signal(int number) {
  if (const char* name = sigabbrev_np(number)) return std::string("SIG") + name;
  if (number >= SIGRTMIN && number <= SIGRTMAX) return "SIGRTMIN+" + std::to_string(number - SIGRTMIN);
  return "signal " + std::to_string(number);
}

std::optional<int> signal_number(std::string_view name) {
  int number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error == std::errc{} && end == name.data() + name.size())
    return number >= 1 && number < NSIG ? std::optional(number) : std::nullopt;
  std::string wanted = upper(name);
  if (wanted.starts_with("SIG")) wanted.erase(0, 3);
  for (int candidate = 1; candidate < NSIG; ++candidate)
    if (const char* known = sigabbrev_np(candidate); known != nullptr && wanted == known) return candidate;
  return std::nullopt;
}

std::string capability(int number) {
  if (number < 0 || number > last_capability()) return "capability " + std::to_string(number);
  return std::string(capability_table[number].name);
}

std::optional<int> capability_number(std::string_view name) { return number_of(name, capability_table, "CAP_"); }
int last_capability() { return static_cast<int>(std::size(capability_table)) - 1; }
std::string resource(int number) { return name_of(static_cast<std::uint64_t>(number), resource_table); }
std::optional<int> resource_number(std::string_view short_name) { return number_of(short_name, resource_table, "RLIMIT_"); }
std::string prctl_option(int option) { return name_of(static_cast<std::uint64_t>(option), prctl_table); }
std::string ioctl_request(std::uint64_t request) { return name_of(request, ioctl_table); }
std::string socket_family(int family) { return name_of(static_cast<std::uint64_t>(family), family_table); }
std::string socket_type(int type) { return name_of(static_cast<std::uint64_t>(type), socket_type_table); }
std::string netlink_protocol(int protocol) { return name_of(static_cast<std::uint64_t>(protocol), netlink_table); }

}  // namespace drydock::symbols
