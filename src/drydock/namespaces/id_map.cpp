#include <drydock/namespaces/id_map.hpp>

#include <pwd.h>

#include <algorithm>
#include <charconv>

#include <drydock/kernel/error.hpp>
#include <drydock/kernel/sys.hpp>

namespace drydock::namespaces {

namespace {

namespace ops = plan::ops;

bool parse_number(std::string_view text, std::uint32_t& value) {
  const auto [next, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && next == text.data() + text.size();
}

std::string range(std::uint32_t start, std::uint32_t count) {
  return std::to_string(start) + "-" + std::to_string(std::uint64_t{start} + count - 1);
}

bool overlap(std::uint64_t a, std::uint64_t b, std::uint64_t a_count, std::uint64_t b_count) {
  return a < b + b_count && b < a + a_count;
}

void check(const std::vector<IdMap>& map) {
  constexpr std::size_t most = 340;  // UID_GID_MAP_MAX_EXTENTS
  if (map.empty()) throw Error::refused("id map", "it is empty", "map at least one id, for example 0:100000:65536");
  if (map.size() > most) throw Error::refused("id map", "it has more than 340 lines, the kernel's limit");
  for (std::size_t i = 0; i < map.size(); ++i) {
    const IdMap& line = map[i];
    if (line.count == 0) throw Error::refused("id map", "a range of 0 ids");
    // 2^32-1 is "no id" to the kernel.
    if (std::uint64_t{line.inside} + line.count > 0xffffffffULL || std::uint64_t{line.outside} + line.count > 0xffffffffULL)
      throw Error::refused("id map", "a range that ends after 4294967294, the last id");
    for (std::size_t j = 0; j < i; ++j)
      if (overlap(line.inside, map[j].inside, line.count, map[j].count) ||
          overlap(line.outside, map[j].outside, line.count, map[j].count))
        throw Error::refused("id map", "two ranges overlap");
  }
}

bool granted_to(const IdMap& line, std::uint32_t euid, const std::vector<SubIds>& granted) {
  if (line.count == 1 && line.outside == euid) return true;
  return std::any_of(granted.begin(), granted.end(), [&](const SubIds& sub) {
    return line.outside >= sub.start && std::uint64_t{line.outside} + line.count <= std::uint64_t{sub.start} + sub.count;
  });
}

std::string user_name(std::uint32_t uid) {
  passwd entry{};
  passwd* found = nullptr;
  std::string buffer(4096, '\0');
  return getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr ? std::string(found->pw_name)
                                                                                                : "";
}

std::vector<SubIds> granted_in(const char* file, const std::string& user, std::uint32_t uid) {
  return parse_sub_ids(sys::read_file_if_present(file).value_or(""), user, uid);
}

}  // namespace

std::vector<SubIds> parse_sub_ids(std::string_view text, std::string_view user, std::uint32_t uid) {
  std::vector<SubIds> ranges;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const auto first = line.find(':');
    const auto second = first == std::string_view::npos ? first : line.find(':', first + 1);
    if (second == std::string_view::npos) continue;
    std::uint32_t owner = 0;
    const std::string_view name = line.substr(0, first);
    if (!(name == user && !user.empty()) && !(parse_number(name, owner) && owner == uid)) continue;
    SubIds ids;
    if (parse_number(line.substr(first + 1, second - first - 1), ids.start) && parse_number(line.substr(second + 1), ids.count) &&
        ids.count > 0)
      ranges.push_back(ids);
  }
  return ranges;
}

std::string map_text(const std::vector<IdMap>& map) {
  check(map);
  std::string text;
  for (const IdMap& line : map)
    text += std::to_string(line.inside) + " " + std::to_string(line.outside) + " " + std::to_string(line.count) + "\n";
  return text;
}

std::string_view writer_name(MapWriter writer) {
  switch (writer) {
    case MapWriter::self:
      return "the process itself";
    case MapWriter::parent:
      return "a privileged parent";
    case MapWriter::helper:
      break;
  }
  return "newuidmap and newgidmap";
}

namespace {

// For a process without privilege, whose own id is `own`.
MapWriter unprivileged_writer(std::uint32_t own, const std::vector<IdMap>& map, const std::vector<SubIds>& granted) {
  check(map);
  if (map.size() == 1 && map[0].count == 1 && map[0].outside == own) return MapWriter::self;
  for (const IdMap& line : map)
    if (!granted_to(line, own, granted))
      throw Error::refused("id map",
                           "the ids " + range(line.outside, line.count) + " were not granted to id " + std::to_string(own),
                           "as root: usermod --add-subuids " + range(line.outside, line.count) + " --add-subgids " +
                               range(line.outside, line.count) + " USER");
  return MapWriter::helper;
}

}  // namespace

MapWriter choose_writer(std::uint32_t euid, const std::vector<IdMap>& map, const std::vector<SubIds>& granted) {
  if (euid != 0) return unprivileged_writer(euid, map, granted);
  check(map);
  return MapWriter::parent;
}

MapWriter choose_writer(std::uint32_t euid, std::uint32_t egid, const Maps& maps, const std::vector<SubIds>& subuids,
                        const std::vector<SubIds>& subgids) {
  const MapWriter uid_writer = choose_writer(euid, maps.uids, subuids);
  const MapWriter gid_writer = euid == 0 ? choose_writer(0, maps.gids, subgids) : unprivileged_writer(egid, maps.gids, subgids);
  return uid_writer == gid_writer ? uid_writer : MapWriter::helper;
}

std::vector<IdMap> default_map(std::uint32_t euid, const std::vector<SubIds>& granted) {
  constexpr std::uint32_t usual_start = 100000, usual_count = 65536;
  if (euid == 0) {
    if (granted.empty()) return {{0, usual_start, usual_count}};
    return {{0, granted[0].start, std::min(granted[0].count, usual_count)}};
  }
  if (granted.empty()) return {{0, euid, 1}};
  return {{0, euid, 1}, {1, granted[0].start, std::min(granted[0].count, usual_count)}};
}

std::vector<SubIds> granted_subuids(std::uint32_t uid) {
  return granted_in("/etc/subuid", user_name(uid), uid);
}

std::vector<SubIds> granted_subgids(std::uint32_t uid) {
  return granted_in("/etc/subgid", user_name(uid), uid);
}

Maps default_maps_of(std::uint32_t euid, std::uint32_t egid) {
  // The ranges are looked up by uid, the own id in the map is the group's.
  Maps maps{default_map(euid, granted_subuids(euid)), default_map(euid, granted_subgids(euid))};
  if (euid != 0) maps.gids[0].outside = egid;
  return maps;
}

plan::StepRef add_map_steps(plan::Plan& plan, MapWriter writer, plan::Slot child, const Maps& maps) {
  const std::string uids = map_text(maps.uids), gids = map_text(maps.gids);
  if (writer == MapWriter::self) {
    plan.payload("map.setgroups", ops::write_file("/proc/self/setgroups", "deny"))
        .why("without privilege no group may be dropped to gain access (CVE-2014-8989)");
    plan.payload("map.gid", ops::write_file("/proc/self/gid_map", gids)).why("its own group, nothing else");
    return plan.payload("map.uid", ops::write_file("/proc/self/uid_map", uids)).why("its own user, nothing else");
  }
  if (writer == MapWriter::parent) {
    plan.monitor("map.gid", ops::write_proc_file(child, "gid_map", gids))
        .why("a privileged writer may map any range, and leave setgroups alone");
    return plan.monitor("map.uid", ops::write_proc_file(child, "uid_map", uids))
        .why("from here on root inside is nobody outside");
  }
  // newgidmap itself denies setgroups when only the own group is mapped.
  plan.monitor("map.gid", ops::run_id_mapper("/usr/bin/newgidmap", child, gids))
      .on("newgidmap")
      .why("a setuid helper checks the range in /etc/subgid");
  return plan.monitor("map.uid", ops::run_id_mapper("/usr/bin/newuidmap", child, uids))
      .on("newuidmap")
      .why("a setuid helper checks the range in /etc/subuid");
}

}  // namespace drydock::namespaces
