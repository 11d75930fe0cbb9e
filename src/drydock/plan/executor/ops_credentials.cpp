#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <drydock/kernel/raw.hpp>
#include <drydock/plan/executor/ops.hpp>
#include <drydock/plan/executor/text.hpp>

namespace drydock::plan::executor {

long op_capset(const Context& context, const wire::WireCall& call) {
  __user_cap_header_struct head{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2]{};
  const auto effective = static_cast<std::uint64_t>(number(context, call, 0));
  const auto permitted = static_cast<std::uint64_t>(number(context, call, 1));
  const auto inheritable = static_cast<std::uint64_t>(number(context, call, 2));
  for (int word = 0; word < 2; ++word) {
    data[word].effective = static_cast<std::uint32_t>(effective >> (32 * word));
    data[word].permitted = static_cast<std::uint32_t>(permitted >> (32 * word));
    data[word].inheritable = static_cast<std::uint32_t>(inheritable >> (32 * word));
  }
  return raw::call(SYS_capset, &head, data);
}

long op_setgroups(const Context& context, const wire::WireCall& call) {
  return raw::call(SYS_setgroups, text_length(context, call, 0) / sizeof(std::uint32_t), text(context, call, 0));
}

// Groups first, then gid, then uid: after setresuid the right to change groups is gone.
namespace {

// A user namespace made without root may have one id only; the kernel then lets nobody drop groups in it (CVE-2014-8989), and
// there is none that could be taken.
bool setgroups_is_denied() {
  char text[16];
  return read_small_file("/proc/self/setgroups", text, sizeof text) > 0 && text[0] == 'd';
}

}  // namespace

long op_become_user(Context& context, const wire::WireCall& call) {
  const long uid = number(context, call, 0), gid = number(context, call, 1);
  long result = raw::call(SYS_setgroups, context.user.group_count, context.user.groups);
  if (result == -EPERM && setgroups_is_denied()) result = 0;
  if (!raw::failed(result)) result = raw::call(SYS_setresgid, gid, gid, gid);
  if (!raw::failed(result)) result = raw::call(SYS_setresuid, uid, uid, uid);
  // A change of credentials clears the parent death signal and dumpability: prctl(2).
  if (!raw::failed(result)) raw::call(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  return result;
}

long op_prlimit(const Context& context, const wire::WireCall& call) {
  struct Limit {
    std::uint64_t soft, hard;
  };
  const long resource = number(context, call, 0);
  Limit wanted{static_cast<std::uint64_t>(number(context, call, 1)), static_cast<std::uint64_t>(number(context, call, 2))};
  long result = raw::call(SYS_prlimit64, 0, resource, &wanted, nullptr);
  if (result != -EPERM) return raw::failed(result) ? result : 0;
  // Without CAP_SYS_RESOURCE a hard limit can only go down: stay at what we have.
  Limit current{};
  result = raw::call(SYS_prlimit64, 0, resource, nullptr, &current);
  if (raw::failed(result)) return result;
  if (wanted.hard > current.hard) wanted.hard = current.hard;
  if (wanted.soft > wanted.hard) wanted.soft = wanted.hard;
  result = raw::call(SYS_prlimit64, 0, resource, &wanted, nullptr);
  return raw::failed(result) ? result : 0;
}

long op_seccomp_load(const Context& context, const wire::WireCall& call) {
  sock_fprog program{};
  program.len = static_cast<unsigned short>(text_length(context, call, 0) / sizeof(sock_filter));
  program.filter = reinterpret_cast<sock_filter*>(const_cast<char*>(text(context, call, 0)));
  return raw::call(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}

namespace {

// The `wanted`-th colon separated field of a line.
const char* field(const char* line, int wanted, std::size_t& length) {
  for (; wanted > 0; --wanted) {
    while (*line != ':' && *line != '\n' && *line != '\0') ++line;
    if (*line != ':') {
      length = 0;
      return line;
    }
    ++line;
  }
  length = strcspn(line, ":\n");
  return line;
}

// -1 when it is no number: "1" is uid 1, "1a" is a name (CVE-2026-30892: a number must never be read as 0).
long parse_number(const char* text, std::size_t length) {
  if (length == 0 || length > 10) return -1;
  long value = 0;
  for (std::size_t at = 0; at < length; ++at) {
    if (text[at] < '0' || text[at] > '9') return -1;
    value = value * 10 + (text[at] - '0');
  }
  return value <= 0xfffffffeL ? value : -1;
}

long read_in_root(long root, const char* path, char* buffer, std::size_t capacity);

const char* next_line(const char* line) {
  line = strchr(line, '\n');
  return line == nullptr ? "" : line + 1;
}

bool field_is(const char* line, int index, const char* text, std::size_t length) {
  std::size_t size = 0;
  const char* value = field(line, index, size);
  return size == length && memcmp(value, text, length) == 0;
}

long field_number(const char* line, int index) {
  std::size_t size = 0;
  const char* value = field(line, index, size);
  return parse_number(value, size);
}

void add_group(UserEntry& user, long gid) {
  const int capacity = static_cast<int>(sizeof user.groups / sizeof user.groups[0]);
  for (int index = 0; index < user.group_count; ++index)
    if (user.groups[index] == static_cast<std::uint32_t>(gid)) return;
  if (user.group_count < capacity) user.groups[user.group_count++] = static_cast<std::uint32_t>(gid);
}

bool lists_member(const char* members, std::size_t length, const char* name, std::size_t name_length) {
  for (std::size_t at = 0; at < length;) {
    std::size_t end = at;
    while (end < length && members[end] != ',') ++end;
    if (end - at == name_length && memcmp(members + at, name, name_length) == 0) return true;
    at = end + 1;
  }
  return false;
}

}  // namespace

long op_resolve_user(Context& context, const wire::WireCall& call, long* second) {
  static char passwd[256 * 1024], group[256 * 1024];
  const long root = number(context, call, 0);
  const char* wanted = text(context, call, 1);
  const std::size_t user_length = strcspn(wanted, ":");
  const char* wanted_group = wanted[user_length] == ':' ? wanted + user_length + 1 : "";
  read_in_root(root, "/etc/passwd", passwd, sizeof passwd);
  read_in_root(root, "/etc/group", group, sizeof group);
  long uid = user_length == 0 ? 0 : parse_number(wanted, user_length);
  long gid = 0;
  const char* name = uid < 0 ? wanted : "";
  std::size_t name_length = uid < 0 ? user_length : 0;
  bool found = uid >= 0;
  for (const char* line = passwd; *line != '\0'; line = next_line(line)) {
    const bool match = name_length > 0 && uid < 0 ? field_is(line, 0, name, name_length) : field_number(line, 2) == uid;
    if (!match || field_number(line, 2) < 0) continue;
    found = true;
    uid = field_number(line, 2);
    gid = field_number(line, 3) < 0 ? 0 : field_number(line, 3);
    name = field(line, 0, name_length);
    std::size_t home_length = 0;
    const char* home = field(line, 5, home_length);
    if (home_length > 0) Line(context.user.home, sizeof context.user.home).put(home, home_length);
    break;
  }
  if (!found) return -ENOENT;
  const std::size_t group_length = strlen(wanted_group);
  if (group_length > 0) gid = parse_number(wanted_group, group_length);
  context.user.group_count = 0;
  for (const char* line = group; *line != '\0'; line = next_line(line)) {
    const long number_of_group = field_number(line, 2);
    if (number_of_group < 0) continue;
    if (group_length > 0 && gid < 0 && field_is(line, 0, wanted_group, group_length)) gid = number_of_group;
    std::size_t members_length = 0;
    const char* members = field(line, 3, members_length);
    // A group that is named explicitly replaces the supplementary ones, as docker run -u user:group does.
    if (group_length == 0 && name_length > 0 && lists_member(members, members_length, name, name_length)) add_group(context.user, number_of_group);
  }
  if (gid < 0) return -ENOENT;
  add_group(context.user, gid);
  context.user.known = true;
  *second = gid;
  return uid;
}

namespace {

long read_in_root(long root, const char* path, char* buffer, std::size_t capacity) {
  buffer[0] = '\0';
  struct {
    std::uint64_t flags, mode, resolve;
  } how{O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0, 0x10 | 0x02 /* RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS */};
  const long fd = raw::call(SYS_openat2, root, path, &how, sizeof how);
  if (raw::failed(fd)) return fd;
  const long size = read_small_fd(static_cast<int>(fd), buffer, capacity);
  raw::call(SYS_close, fd);
  return size;
}

}  // namespace

}  // namespace drydock::plan::executor
