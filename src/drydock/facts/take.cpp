#include <drydock/facts/snapshot.hpp>

#include <sys/utsname.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <functional>

#include <drydock/facts/parse.hpp>
#include <drydock/kernel/error.hpp>
#include <drydock/kernel/process_stat.hpp>
#include <drydock/kernel/symbols.hpp>
#include <drydock/kernel/sys.hpp>

namespace drydock::facts {

namespace {

Error gone(pid_t pid) {
  return Error::refused("process " + std::to_string(pid), "there is no such process (it may have ended just now)",
                        "'ps -e' lists processes, 'drydock ps' containers");
}

class Reader {
 public:
  explicit Reader(Snapshot& snapshot) : snapshot_(snapshot), base_("/proc/" + std::to_string(snapshot.pid) + "/") {}

  // Runs `read`; a refusal of the kernel becomes a note, so that one unreadable fact does not hide the others.
  void attempt(const char* fact, const std::function<void()>& read) {
    try {
      read();
    } catch (const Error& error) {
      if (error.code() == ESRCH && !is_zombie()) throw gone(snapshot_.pid);
      snapshot_.notes.push_back({fact, why(error)});
    }
  }

  std::string text(const std::string& name) const { return sys::read_file(base_ + name); }
  std::string link(const std::string& name) const { return sys::readlink(base_ + name); }
  std::vector<std::string> names(const std::string& directory) const { return sys::list_directory(base_ + directory); }

 private:
  bool is_zombie() const { return snapshot_.status.state.starts_with('Z'); }

  // Older kernels (6.1) say ESRCH, newer ones ENOENT, about what a zombie no longer has.
  std::string why(const Error& error) const {
    if (error.code() == EACCES || error.code() == EPERM)
      return "not allowed: only its owner, or root with every capability it has, may look (try sudo)";
    if ((error.code() == ENOENT || error.code() == ESRCH) && is_zombie())
      return "a zombie has none: only its exit status is left";
    if (error.code() == ENOENT && snapshot_.command_line.empty()) return "a kernel thread has none";
    return error.code() != 0 ? errno_text(error.code()) + " (" + errno_name(error.code()) + ")" : error.what();
  }

  Snapshot& snapshot_;
  std::string base_;
};

void take_namespaces(Snapshot& snapshot, const Reader& reader) {
  for (const std::string& kind : reader.names("ns"))
    if (!kind.ends_with("_for_children"))
      if (const auto inode = parse::namespace_link(reader.link("ns/" + kind))) snapshot.namespaces[kind] = *inode;
}

void take_descriptors(Snapshot& snapshot, const Reader& reader) {
  for (const std::string& name : reader.names("fd")) {
    try {
      snapshot.descriptors.push_back({std::stoi(name), reader.link("fd/" + name)});
    } catch (const Error& error) {
      if (error.code() != ENOENT) throw;  // closed between listing and reading
    }
  }
  std::sort(snapshot.descriptors.begin(), snapshot.descriptors.end(), [](auto& a, auto& b) { return a.number < b.number; });
}

// The files that hold limits, not usage: usage changes between two looks at the same process.
bool is_limit(const std::string& file) {
  static constexpr std::string_view names[] = {"memory.limit_in_bytes",
                                               "memory.memsw.limit_in_bytes",
                                               "memory.soft_limit_in_bytes",
                                               "memory.swappiness",
                                               "memory.max",
                                               "memory.high",
                                               "memory.swap.max",
                                               "memory.oom.group",
                                               "cpu.shares",
                                               "cpu.cfs_quota_us",
                                               "cpu.cfs_period_us",
                                               "cpu.max",
                                               "cpu.weight",
                                               "cpuset.cpus",
                                               "cpuset.mems",
                                               "cpuset.cpus.effective",
                                               "cpuset.mems.effective",
                                               "pids.max",
                                               "blkio.weight",
                                               "blkio.bfq.weight",
                                               "blkio.throttle.read_bps_device",
                                               "blkio.throttle.write_bps_device",
                                               "blkio.throttle.read_iops_device",
                                               "blkio.throttle.write_iops_device",
                                               "io.weight",
                                               "io.bfq.weight",
                                               "io.max",
                                               "devices.list",
                                               "freezer.state",
                                               "cgroup.freeze",
                                               "cgroup.type"};
  return std::find(std::begin(names), std::end(names), file) != std::end(names);
}

std::string one_line(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos;) text.replace(at, 1, "; ");
  return text;
}

void take_limits(CgroupFact& group) {
  if (group.directory.empty() || !sys::exists(group.directory)) return;
  for (const std::string& file : sys::list_directory(group.directory)) {
    if (!is_limit(file)) continue;
    try {
      group.limits[file] = one_line(sys::read_file(group.directory + "/" + file));
    } catch (const Error& error) {
      group.limits[file] = "(" + errno_name(error.code()) + ")";  // EOPNOTSUPP of a file the group's type does not have
    }
  }
}

void take_cgroups(Snapshot& snapshot, const Reader& reader) {
  const std::vector<Mount> ours = parse::mountinfo(sys::read_file("/proc/self/mountinfo"));
  snapshot.cgroups = parse::cgroup(reader.text("cgroup"));
  for (CgroupFact& group : snapshot.cgroups) {
    group.directory = parse::cgroup_directory(group, ours);
    take_limits(group);
  }
}

void take_network(Snapshot& snapshot, Reader& reader) {
  reader.attempt("links", [&] { snapshot.links = parse::net_dev(reader.text("net/dev")); });
  reader.attempt("routes", [&] { snapshot.routes = parse::route(reader.text("net/route")); });
  reader.attempt("addresses", [&] { snapshot.addresses = parse::fib_trie(reader.text("net/fib_trie"), snapshot.routes); });
  if (!sys::exists("/proc/self/net/if_inet6")) return;  // a kernel without IPv6
  reader.attempt("addresses (IPv6)", [&] {
    for (Address& address : parse::if_inet6(reader.text("net/if_inet6"))) snapshot.addresses.push_back(std::move(address));
  });
}

// uname(2) and /proc/sys/kernel/hostname both answer for the reader's UTS namespace, whatever path leads to them.
void take_hostname(Snapshot& snapshot) {
  const auto theirs = snapshot.namespaces.find("uts");
  if (theirs == snapshot.namespaces.end()) return;
  if (parse::namespace_link(sys::readlink("/proc/self/ns/uts")) == theirs->second) {
    utsname names{};
    if (::uname(&names) == 0) snapshot.hostname = names.nodename;
  } else {
    snapshot.notes.push_back({"hostname", "it has its own UTS namespace, and a name there can only be asked from inside"});
  }
}

void take_all(Snapshot& snapshot) {
  Reader reader(snapshot);
  snapshot.status = parse::status(reader.text("status"));
  reader.attempt("command line", [&] { snapshot.command_line = parse::strings(reader.text("cmdline")); });
  reader.attempt("namespaces", [&] { take_namespaces(snapshot, reader); });
  reader.attempt("executable", [&] { snapshot.executable = reader.link("exe"); });
  reader.attempt("working directory", [&] { snapshot.working_directory = reader.link("cwd"); });
  reader.attempt("root", [&] { snapshot.root = reader.link("root"); });
  reader.attempt("uid map", [&] { snapshot.uid_map = parse::id_map(reader.text("uid_map")); });
  reader.attempt("gid map", [&] { snapshot.gid_map = parse::id_map(reader.text("gid_map")); });
  reader.attempt("setgroups", [&] { snapshot.setgroups = one_line(reader.text("setgroups")); });
  reader.attempt("mounts", [&] { snapshot.mounts = parse::mountinfo(reader.text("mountinfo")); });
  reader.attempt("cgroups", [&] { take_cgroups(snapshot, reader); });
  reader.attempt("resource limits", [&] { snapshot.rlimits = parse::limits(reader.text("limits")); });
  reader.attempt("oom_score_adj", [&] { snapshot.oom_score_adj = std::stoi(reader.text("oom_score_adj")); });
  reader.attempt("descriptors", [&] { take_descriptors(snapshot, reader); });
  take_network(snapshot, reader);
  take_hostname(snapshot);
}

// Start time of whatever has that number: a zombie, which has ended for everybody else, is worth looking at too.
std::optional<std::uint64_t> started(pid_t pid) {
  try {
    if (const auto text = sys::read_file_if_present("/proc/" + std::to_string(pid) + "/stat")) return parse_process_stat(*text).start_time;
  } catch (const Error& error) {
    if (error.code() != ESRCH) throw;  // ended between open and read
  }
  return std::nullopt;
}

}  // namespace

Snapshot take(pid_t pid) {
  Snapshot snapshot;
  snapshot.pid = pid;
  const auto start = pid > 0 ? started(pid) : std::nullopt;
  if (!start) throw gone(pid);
  snapshot.start_time = *start;
  try {
    take_all(snapshot);
  } catch (const Error& error) {
    if (error.code() == ENOENT || error.code() == ESRCH) throw gone(pid);
    throw;
  }
  // A pid may be reused while its files are read: facts of two processes must not be mixed.
  if (started(pid) != start) throw gone(pid);
  return snapshot;
}

std::string seccomp_words(int mode) {
  switch (mode) {
    case 0:
      return "off";
    case 1:
      return "strict";
    case 2:
      return "filter";
    default:
      return "mode " + std::to_string(mode);
  }
}

std::string capability_words(std::uint64_t set) {
  if (set == 0) return "none";
  static const int last = [] {
    const auto text = sys::read_file_if_present("/proc/sys/kernel/cap_last_cap");
    return text ? std::min(std::stoi(*text), 63) : symbols::last_capability();
  }();
  const std::uint64_t all = last == 63 ? ~std::uint64_t{0} : (std::uint64_t{1} << (last + 1)) - 1;
  if (set == all) return "all " + std::to_string(last + 1);
  // A set that lacks only a few is better told by what it lacks.
  const bool nearly_all = (set & ~all) == 0 && std::popcount(all ^ set) <= 5 && std::popcount(set) > 5;
  const std::uint64_t named = nearly_all ? all ^ set : set;
  std::string text = nearly_all ? "all but" : "";
  for (int number = 0; number < 64; ++number) {
    if ((named >> number & 1) == 0) continue;
    std::string name = symbols::capability(number);
    if (name.starts_with("CAP_")) name.erase(0, 4);
    text += (text.empty() ? "" : " ") + name;
  }
  return text;
}

}  // namespace drydock::facts
