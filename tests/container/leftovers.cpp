// What a test left behind, found by looking at the kernel.
#include <libmnl/libmnl.h>
#include <libnftnl/table.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>

#include <drydock/cgroups/layout.hpp>
#include <drydock/kernel/error.hpp>
#include <drydock/kernel/sys.hpp>
#include <drydock/network/links.hpp>
#include <drydock/network/netlink.hpp>

#include "container/host.hpp"
#include "container/processes.hpp"

namespace drydock::test {

namespace {

std::set<std::string> lines_of(const std::string& text) {
  std::set<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    lines.insert(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

std::set<std::string> link_names() {
  std::set<std::string> names;
  for (const network::Link& link : network::links()) names.insert(link.name);
  return names;
}

// Directories drydock* below every control group mount, at any depth.
void add_groups(const std::string& directory, int depth, std::set<std::string>& found) {
  for (const std::string& name : sys::list_directory(directory)) {
    const std::string path = directory + "/" + name;
    const auto status = sys::lstat(path);
    if (!status || !S_ISDIR(status->st_mode)) continue;
    if (name.starts_with("drydock")) found.insert(path);
    else if (depth < 3) add_groups(path, depth + 1, found);
  }
}

std::set<std::string> control_groups() {
  std::set<std::string> found, mounts;
  const cgroups::Layout layout = cgroups::read_layout();
  for (const cgroups::Place& place : layout.places) mounts.insert(place.mount);
  if (!layout.cgroup2.empty()) mounts.insert(layout.cgroup2);
  for (const std::string& mount : mounts) {
    try {
      add_groups(mount, 0, found);
    } catch (const Error&) {  // somebody else's group went away while we looked
    }
  }
  return found;
}

std::string container_of(const std::string& group) {
  return group.substr(group.rfind('/') + 1);
}

// Other tests of the same machine make groups too; theirs hold processes that are none of ours, or, beyond a pid
// namespace, processes that cannot be seen from here.
bool holds_strangers(const std::string& group, const std::map<pid_t, std::string>& ours) {
  try {
    auto pids = sys::read_file_if_present(group + "/cgroup.procs");
    if (!pids) return false;
    *pids += sys::read_file_if_present(group + "/payload/cgroup.procs").value_or("");  // where the members live on v2
    for (const std::string& pid : lines_of(*pids))
      if (ours.contains(static_cast<pid_t>(std::stol(pid)))) return false;
    const auto events = sys::read_file_if_present(group + "/cgroup.events");
    return !pids->empty() || (events && events->find("populated 1") != std::string::npos);
  } catch (const Error&) {  // removed while we looked
    return false;
  }
}

Words groups_of_ours(const std::set<std::string>& groups, const std::map<pid_t, std::string>& ours) {
  std::set<std::string> strangers;
  for (const std::string& group : groups)
    if (holds_strangers(group, ours)) strangers.insert(container_of(group));
  Words found;
  for (const std::string& group : groups)
    if (!strangers.contains(container_of(group))) found.push_back(group);
  return found;
}

// Names of all nftables tables of this network namespace.
std::set<std::string> tables() {
  alignas(8) std::array<char, 512> buffer{};
  const nlmsghdr* request = nftnl_nlmsg_build_hdr(buffer.data(), NFT_MSG_GETTABLE, NFPROTO_UNSPEC, NLM_F_DUMP, 1);
  std::set<std::string> names;
  network::Netlink(NETLINK_NETFILTER)
      .ask({buffer.data(), request->nlmsg_len}, "NFT_MSG_GETTABLE (dump)", [&] { names.clear(); },
           [&](const nlmsghdr& answer) {
             const std::unique_ptr<nftnl_table, void (*)(const nftnl_table*)> table(nftnl_table_alloc(), nftnl_table_free);
             if (table && nftnl_table_nlmsg_parse(&answer, table.get()) >= 0) names.insert(nftnl_table_get_str(table.get(), NFTNL_TABLE_NAME));
           });
  return names;
}

// Everything but directories, which stay for the next container.
void add_files(const std::string& directory, Words& found) {
  if (!sys::exists(directory)) return;
  for (const std::string& name : sys::list_directory(directory)) {
    const std::string path = directory + "/" + name;
    const auto status = sys::lstat(path);
    if (status && S_ISDIR(status->st_mode)) add_files(path, found);
    else if (status) found.push_back("file " + path);
  }
}

template <typename Set>
void add_new(Words& found, const std::string& kind, const Set& now, const std::set<std::string>& before) {
  for (const std::string& one : now)
    if (!before.contains(one)) found.push_back(kind + " " + one);
}

std::string forwarding() {
  return sys::read_file("/proc/sys/net/ipv4/ip_forward");
}

}  // namespace

void Host::note_beginning() {
  mounts_ = lines_of(sys::read_file("/proc/self/mountinfo"));
  links_ = link_names();
  groups_ = control_groups();
  tables_ = tables();
  forwarding_ = forwarding();
}

Words Host::look() {
  reap_orphans();
  Words found;
  const auto ours = descendants();
  for (const auto& [pid, name] : ours) found.push_back("process " + name + " " + std::to_string(pid));
  add_new(found, "mount", lines_of(sys::read_file("/proc/self/mountinfo")), mounts_);
  add_new(found, "link", link_names(), links_);
  for (const std::string& group : groups_of_ours(control_groups(), ours))
    if (!groups_.contains(group)) found.push_back("control group " + group);
  add_new(found, "nftables table", tables(), tables_);
  if (forwarding() != forwarding_) found.push_back("net.ipv4.ip_forward changed");
  add_files("/run/drydock", found);
  if (sys::exists(data_ + "/containers"))
    for (const std::string& name : sys::list_directory(data_ + "/containers")) found.push_back("container files " + name);
  return found;
}

Words Host::leftovers(int patience_ms, const Words& expected) {
  Words left = look();
  // What is left behind stays. What comes and goes belongs to others who use this machine: their groups, empty for a moment.
  const auto gone = [](const Words& now) {
    return [&now](const std::string& one) { return std::find(now.begin(), now.end(), one) == now.end(); };
  };
  eventually(
      [&] {
        if (!left.empty()) std::erase_if(left, gone(look()));
        return left.empty() || left == expected;
      },
      patience_ms);
  return left;
}

}  // namespace drydock::test
