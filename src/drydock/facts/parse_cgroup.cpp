#include <drydock/facts/parse.hpp>

#include <algorithm>
#include <charconv>

namespace drydock::facts::parse {

namespace {

bool has_word(std::string_view list, std::string_view wanted) {
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    if (list.substr(0, comma) == wanted) return true;
    if (comma == std::string_view::npos) break;
    list.remove_prefix(comma + 1);
  }
  return false;
}

// Version 1: a mount's super options name its controllers ("rw,cpu,cpuacct" or "rw,name=systemd").
bool carries(const Mount& mount, const CgroupFact& group) {
  if (group.hierarchy == 0 && group.controllers.empty()) return mount.type == "cgroup2";
  const std::string first = group.controllers.substr(0, group.controllers.find(','));
  return mount.type == "cgroup" && has_word(mount.super_options, first);
}

}  // namespace

// "4:memory:/user.slice" (version 1), "0::/user.slice" (version 2). A path may hold colons.
std::vector<CgroupFact> cgroup(std::string_view text) {
  std::vector<CgroupFact> groups;
  for (const std::string_view line : lines(text)) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string_view::npos ? first : line.find(':', first + 1);
    if (second == std::string_view::npos) continue;
    CgroupFact group;
    std::from_chars(line.data(), line.data() + first, group.hierarchy);
    group.controllers = line.substr(first + 1, second - first - 1);
    group.path = line.substr(second + 1);
    groups.push_back(std::move(group));
  }
  std::stable_sort(groups.begin(), groups.end(), [](const auto& a, const auto& b) { return a.controllers < b.controllers; });
  return groups;
}

std::string cgroup_directory(const CgroupFact& group, const std::vector<Mount>& mounts) {
  for (const Mount& mount : mounts) {
    if (!carries(mount, group)) continue;
    if (mount.root == "/") return mount.target + (group.path == "/" ? "" : group.path);
    if (group.path == mount.root) return mount.target;
    if (group.path.starts_with(mount.root + "/")) return mount.target + group.path.substr(mount.root.size());
  }
  return {};
}

}  // namespace drydock::facts::parse
