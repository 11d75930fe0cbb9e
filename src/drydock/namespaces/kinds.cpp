#include <drydock/namespaces/kinds.hpp>

#include <linux/sched.h>

#include <charconv>

#include <drydock/kernel/error.hpp>
#include <drydock/kernel/sys.hpp>

namespace drydock::namespaces {

namespace {

// Since: where the kind became usable as a whole, not where its flag first appeared (user: 2.6.23 to 3.8).
constexpr KindInfo kinds[] = {
    {Kind::mnt, "mnt", CLONE_NEWNS, "mount points", "2.4.19"},
    {Kind::pid, "pid", CLONE_NEWPID, "process ids", "2.6.24"},
    {Kind::net, "net", CLONE_NEWNET, "links, addresses, routes, ports, firewall", "2.6.29"},
    {Kind::ipc, "ipc", CLONE_NEWIPC, "System V IPC and POSIX message queues", "2.6.30"},
    {Kind::uts, "uts", CLONE_NEWUTS, "host name and domain name", "2.6.19"},
    {Kind::user, "user", CLONE_NEWUSER, "user ids, group ids, capabilities", "3.8"},
    {Kind::cgroup, "cgroup", CLONE_NEWCGROUP, "the root of the control group tree", "4.6"},
    {Kind::time, "time", CLONE_NEWTIME, "boot time and monotonic clock", "5.6"},
};

}  // namespace

std::span<const KindInfo> all_kinds() {
  return kinds;
}

const KindInfo& info(Kind kind) {
  return kinds[static_cast<std::size_t>(kind)];
}

std::optional<Kind> kind_named(std::string_view name) {
  if (name == "mount") return Kind::mnt;
  if (name == "network") return Kind::net;
  for (const KindInfo& row : kinds)
    if (row.name == name) return row.kind;
  return std::nullopt;
}

std::string path_of(pid_t pid, Kind kind) {
  return "/proc/" + (pid == 0 ? std::string("self") : std::to_string(pid)) + "/ns/" + std::string(info(kind).name);
}

std::optional<std::uint64_t> parse_id(std::string_view link) {
  const auto open = link.find(":[");
  if (open == std::string_view::npos || !link.ends_with("]")) return std::nullopt;
  std::uint64_t id = 0;
  const char* const end = link.data() + link.size() - 1;
  const auto [next, error] = std::from_chars(link.data() + open + 2, end, id);
  return error == std::errc{} && next == end ? std::optional(id) : std::nullopt;
}

std::uint64_t id_of(pid_t pid, Kind kind) {
  const std::string path = path_of(pid, kind);
  const std::string link = sys::readlink(path);
  const auto id = parse_id(link);
  if (!id) throw Error::refused(path, "it says \"" + link + "\", which is no namespace", "is /proc mounted here?");
  return *id;
}

std::map<Kind, std::uint64_t> ids_of(pid_t pid) {
  std::map<Kind, std::uint64_t> ids;
  for (const KindInfo& row : kinds) {
    try {
      ids[row.kind] = id_of(pid, row.kind);
    } catch (const Error&) {
      // Gone, not ours to see, or a kind that this kernel does not have.
    }
  }
  return ids;
}

CloneSplit split_clone_flags(std::uint64_t wanted, bool born_in_cgroup) {
  std::uint64_t later = 0;
  if (!born_in_cgroup) later |= wanted & CLONE_NEWCGROUP;
  if ((wanted & CLONE_NEWUSER) != 0) later |= wanted & CLONE_NEWIPC;
  return {wanted & ~later, later};
}

}  // namespace drydock::namespaces
