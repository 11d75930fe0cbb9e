#include <drydock/cgroups/layout.hpp>

#include <fcntl.h>
#include <linux/bpf.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <string_view>

#include <drydock/kernel/raw.hpp>
#include <drydock/kernel/remedies.hpp>
#include <drydock/kernel/sys.hpp>

namespace drydock::cgroups {

namespace {

// Views into `text`, which is a temporary of nobody here.
std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const auto end = text.find(separator);
    if (end != 0) parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return parts;
}

// mountinfo writes space, tab, newline and backslash as three octal digits.
std::string unescape(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned value = 0;
    if (text[i] == '\\' && i + 3 < text.size() &&
        std::from_chars(text.data() + i + 1, text.data() + i + 4, value, 8).ptr == text.data() + i + 4) {
      result += static_cast<char>(value);
      i += 3;
    } else {
      result += text[i];
    }
  }
  return result;
}

struct MountLine {
  std::string_view root;
  std::string target;
  std::string_view type;
  std::vector<std::string_view> super_options;
};

// "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw": the fields before " - " are of variable number.
std::vector<MountLine> cgroup_mounts(std::string_view mountinfo) {
  std::vector<MountLine> lines;
  for (const std::string_view line : split(mountinfo, '\n')) {
    const auto dash = line.find(" - cgroup");
    if (dash == std::string_view::npos) continue;
    const auto before = split(line.substr(0, dash), ' ');
    const auto behind = split(line.substr(dash + 3), ' ');
    if (before.size() < 5 || behind.empty()) continue;
    if (behind[0] != "cgroup" && behind[0] != "cgroup2") continue;
    lines.push_back(
        {before[3], unescape(before[4]), behind[0], behind.size() > 2 ? split(behind.back(), ',') : std::vector<std::string_view>{}});
  }
  return lines;
}

// The controllers of a v1 mount stand among its options; these are the others that may stand there.
bool is_controller(std::string_view option) {
  static constexpr std::string_view others[] = {
      "rw",  "ro",      "none", "xattr", "noprefix", "clone_children", "cpuset_v2_mode", "favordynmods", "nofavordynmods",
      "all", "seclabel"};
  return option.find('=') == std::string_view::npos &&
         std::find(std::begin(others), std::end(others), option) == std::end(others);
}

// A hierarchy may be mounted several times, also by a bind mount of a part of it: a mount that shows its root wins.
void add_v1_places(Layout& layout, const std::vector<MountLine>& mounts) {
  for (const bool whole : {true, false})
    for (const MountLine& line : mounts) {
      if (line.type != "cgroup" || (line.root == "/") != whole) continue;
      for (const std::string_view option : line.super_options)
        if (is_controller(option) && layout.find(option) == nullptr)
          layout.places.push_back({std::string(option), Version::v1, line.target});
    }
}

// "memory 5 12 1": name, hierarchy, groups, enabled.
std::vector<std::string> disabled_controllers(std::string_view proc_cgroups) {
  std::vector<std::string> names;
  for (const std::string_view line : split(proc_cgroups, '\n')) {
    if (line[0] == '#') continue;
    std::string columns(line);
    std::replace(columns.begin(), columns.end(), '\t', ' ');
    const auto fields = split(columns, ' ');
    if (fields.size() >= 4 && fields[3] == "0") names.emplace_back(fields[0]);
  }
  return names;
}

Shape shape_of(const Layout& layout) {
  const bool any_v1 =
      std::any_of(layout.places.begin(), layout.places.end(), [](const Place& p) { return p.version == Version::v1; });
  if (any_v1) return layout.cgroup2.empty() ? Shape::v1 : Shape::hybrid;
  return layout.cgroup2.empty() ? Shape::none : Shape::v2;
}

}  // namespace

std::string_view shape_name(Shape shape) {
  switch (shape) {
    case Shape::v1:
      return "v1";
    case Shape::v2:
      return "v2";
    case Shape::hybrid:
      return "hybrid";
    case Shape::none:
      break;
  }
  return "none";
}

namespace {

std::string cgroup2_of(const std::vector<MountLine>& mounts) {
  std::string found;
  for (const MountLine& line : mounts)
    if (line.type == "cgroup2" && (found.empty() || (line.root == "/" && line.target.size() < found.size()))) found = line.target;
  return found;
}

}  // namespace

std::string find_cgroup2(std::string_view mountinfo) {
  return cgroup2_of(cgroup_mounts(mountinfo));
}

Layout Layout::detect(const Texts& texts) {
  Layout layout;
  const std::vector<MountLine> mounts = cgroup_mounts(texts.mountinfo);
  layout.cgroup2 = cgroup2_of(mounts);
  add_v1_places(layout, mounts);
  if (!layout.cgroup2.empty()) {
    const std::string_view words = std::string_view(texts.controllers).substr(0, texts.controllers.find('\n'));
    for (const std::string_view name : split(words, ' '))
      if (layout.find(name) == nullptr) layout.places.push_back({std::string(name), Version::v2, layout.cgroup2});
  }
  std::sort(layout.places.begin(), layout.places.end(),
            [](const Place& a, const Place& b) { return a.controller < b.controller; });
  for (const std::string_view line : split(texts.self_cgroup, '\n'))
    if (line.starts_with("0::")) layout.self_cgroup2 = line.substr(3);
  layout.disabled = disabled_controllers(texts.proc_cgroups);
  layout.shape = shape_of(layout);
  return layout;
}

const Place* Layout::find(std::string_view controller) const {
  for (const Place& place : places)
    if (place.controller == controller) return &place;
  return nullptr;
}

std::string Layout::why_missing(std::string_view controller) const {
  const std::string name(controller);
  if (!restriction.empty()) return restriction;
  if (shape == Shape::none) return "no control group hierarchy is mounted";
  if (std::find(disabled.begin(), disabled.end(), name) != disabled.end())
    return "the kernel was started with the " + name + " controller disabled (cgroup_disable=)";
  if (!parent2.empty()) return "the " + name + " controller was not handed to this user";
  if (shape == Shape::v2) return "the cgroup2 tree does not offer the " + name + " controller here (see cgroup.controllers)";
  return "no mounted hierarchy has the " + name + " controller";
}

std::string Layout::remedy_for(std::string_view controller) const {
  if (!restriction.empty()) return way_out;
  if (std::find(disabled.begin(), disabled.end(), controller) != disabled.end()) return "boot without cgroup_disable=" + std::string(controller);
  if (shape == Shape::none) return remedies::mount_cgroups;
  return parent2.empty() ? "" : remedy_few_controllers;
}

bool Layout::operator==(const Layout& other) const {
  const auto same = [](const Place& a, const Place& b) {
    return a.controller == b.controller && a.version == b.version && a.mount == b.mount;
  };
  return shape == other.shape && device_programs == other.device_programs && cgroup2 == other.cgroup2 && self_cgroup2 == other.self_cgroup2 &&
         std::equal(places.begin(), places.end(), other.places.begin(), other.places.end(), same);
}

namespace {

// Whether programs that guard devices can be attached to groups here: asks for those of the tree's root.
// EINVAL: the kernel has no CONFIG_CGROUP_BPF; EPERM: no CAP_BPF.
bool takes_device_programs(const std::string& cgroup2) {
  if (cgroup2.empty() || sys::geteuid() != 0) return false;
  const long group = raw::call(SYS_openat, AT_FDCWD, cgroup2.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (raw::failed(group)) return false;
  const Fd held(static_cast<int>(group));
  bpf_attr question{};
  question.query.target_fd = static_cast<__u32>(group);
  question.query.attach_type = BPF_CGROUP_DEVICE;
  return !raw::failed(raw::call(SYS_bpf, BPF_PROG_QUERY, &question, sizeof question));
}

}  // namespace

Layout read_layout() {
  Texts texts;
  texts.mountinfo = sys::read_file("/proc/self/mountinfo");
  texts.self_cgroup = sys::read_file_if_present("/proc/self/cgroup").value_or("");
  texts.proc_cgroups = sys::read_file_if_present("/proc/cgroups").value_or("");
  if (const std::string mount = find_cgroup2(texts.mountinfo); !mount.empty())
    texts.controllers = sys::read_file_if_present(mount + "/cgroup.controllers").value_or("");
  Layout layout = Layout::detect(texts);
  if (layout.find("devices") == nullptr) layout.device_programs = takes_device_programs(layout.cgroup2);
  return layout;
}

Layout manageable(Layout layout, unsigned euid, const std::optional<Delegation>& part) {
  if (euid == 0) return layout;
  const bool had_v1 = layout.shape == Shape::v1 || layout.shape == Shape::hybrid;
  const auto handed_over = [&](const std::string& controller) {
    return part && std::find(part->controllers.begin(), part->controllers.end(), controller) != part->controllers.end();
  };
  std::erase_if(layout.places, [&](const Place& place) { return place.version == Version::v1 || !handed_over(place.controller); });
  if (part) layout.parent2 = part->group;
  else layout.cgroup2.clear();
  if (had_v1) layout.restriction = "without root, control groups of v1 cannot be made", layout.way_out = "run as root (sudo)";
  else if (!part) layout.restriction = "this user was given no part of the control group tree", layout.way_out = remedy_no_delegation;
  layout.shape = shape_of(layout);
  return layout;
}

Layout read_manageable_layout() {
  Layout layout = read_layout();
  const unsigned euid = sys::geteuid();
  if (euid == 0 || layout.cgroup2.empty()) return manageable(std::move(layout), euid, std::nullopt);
  const auto part = choose_delegation(read_ancestors(layout.cgroup2, layout.self_cgroup2));
  return manageable(std::move(layout), euid, part);
}

std::string group_name(std::string_view id) {
  return "drydock-" + std::string(id);
}

}  // namespace drydock::cgroups
