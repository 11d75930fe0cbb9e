#include <drydock/cgroups/steps.hpp>

#include <fcntl.h>

#include <algorithm>
#include <set>

#include <drydock/cgroups/device_program.hpp>
#include <drydock/cgroups/device_rules.hpp>

namespace drydock::cgroups {

namespace {

namespace ops = plan::ops;
using plan::Lane;
using plan::SlotKind;
using plan::Step;

// Hierarchies that get a group although no limit asks for it, with the reason.
struct Always {
  std::string_view controller;
  bool only_without_cgroup2;
  std::string_view reason;
};
constexpr Always always[] = {
    {"memory", false, "counts memory and says who was killed for it"},
    {"pids", false, "counts tasks"},
    {"devices", false, "says which device nodes may be opened"},
    {"cpuacct", true, "counts processor time"},
    {"freezer", true, "stops all members at once"},
    {"cpu", false, "divides processor time among groups, not processes"},
};

// One v1 hierarchy that gets a group: controllers may share a mount.
struct Tree {
  std::string mount;
  std::vector<std::string> controllers;
  std::string_view reason;

  std::string label() const {
    std::string text;
    for (const std::string& name : controllers) text += (text.empty() ? "" : ",") + name;
    return text;
  }
  bool has(std::string_view name) const { return std::find(controllers.begin(), controllers.end(), name) != controllers.end(); }
};

void want(std::vector<Tree>& trees, const Place& place, std::string_view reason) {
  auto tree = std::find_if(trees.begin(), trees.end(), [&](const Tree& t) { return t.mount == place.mount; });
  if (tree == trees.end()) tree = trees.insert(trees.end(), Tree{place.mount, {}, reason});
  if (!tree->has(place.controller)) tree->controllers.push_back(place.controller);
}

std::vector<Tree> trees_for(const Layout& layout, const LimitWrites& limits, const GroupOptions& options) {
  std::vector<Tree> trees;
  const auto add = [&](std::string_view controller, std::string_view reason) {
    const Place* place = layout.find(controller);
    if (place != nullptr && place->version == Version::v1) want(trees, *place, reason);
  };
  for (const Write& write : limits.writes) add(write.controller, "carries a limit");
  for (const Always& row : always) {
    if (row.only_without_cgroup2 && !layout.cgroup2.empty()) continue;
    if (row.controller == "devices" && !options.device_rules) continue;
    add(row.controller, row.reason);
  }
  std::stable_partition(trees.begin(), trees.end(), [](const Tree& tree) { return !tree.has("cpu"); });
  return trees;
}

// Adds the steps of one group plan; remembers what belongs together.
class Builder {
 public:
  Builder(plan::Plan& plan, GroupPlan& group, const LimitWrites& limits) : plan_(plan), group_(group), limits_(limits) {}

  void make_v1(const Tree& tree, const std::string& name) {
    const std::string directory = tree.mount + "/" + name;
    make(tree.label(), directory, std::string(tree.reason));
    if (tree.has("devices")) write_device_rules(directory);
    write_limits(tree.mount, Version::v1, directory);
    const plan::Slot slot = open_directory(tree.label(), directory);
    group_.attaches.push_back({tree.label(), slot});
    group_.directories.push_back(directory);
  }

  void make_v2(const Layout& layout, const std::string& name, bool device_program) {
    const std::string parent = layout.cgroup2 + layout.parent2;
    const std::string directory = parent + "/" + name;
    const std::string controllers = v2_controllers(layout);
    if (!controllers.empty())
      keep(plan_.monitor("cgroup2.offer", ops::write_file(parent + "/cgroup.subtree_control", controllers))
               .why("a v2 group has only the controllers that its parent hands down")
               .on("control group tree " + parent));
    make("cgroup2", directory,
         controllers.empty() ? "kills, freezes and tracks all members at once" : "the group exists before its first member");
    write_limits(layout.cgroup2, Version::v2, directory);
    const std::string home = member_directory(layout, directory);
    if (home != directory) {
      keep(plan_.monitor("cgroup2.keep", ops::write_file(directory + "/cgroup.subtree_control", controllers))
               .why("controllers that are handed on cannot be taken back by systemd"));
      make("cgroup2.payload", home, "the members live here, out of reach of the files with their limits");
    }
    group_.cgroup2 = open_directory("cgroup2", home);
    if (device_program && layout.find("devices") == nullptr && layout.device_programs)
      keep(plan_.monitor("devices", ops::device_filter(group_.cgroup2, cgroups::device_program(device_rules)))
               .why("no device, but for a short list: what the devices controller does on v1")
               .on("device filter of the control group"));
    group_.directories.push_back(directory);
  }

 private:
  void keep(const Step& step) { group_.steps.push_back(step.self); }

  void make(const std::string& label, const std::string& directory, const std::string& why) {
    keep(plan_.monitor("cgroup." + label, ops::mkdir(directory, 0755))
             .why(why)
             .on("control group " + directory)
             .undo(ops::remove_cgroup(directory)));
  }

  plan::Slot open_directory(const std::string& label, const std::string& directory) {
    const plan::Slot slot = plan_.slot("cgroup_" + label, SlotKind::fd);
    keep(plan_.monitor("cgroup." + label + ".open", ops::open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC))
             .why("a descriptor still leads there when the root has changed")
             .into(slot));
    return slot;
  }

  void write_limits(const std::string& mount, Version version, const std::string& directory) {
    for (const Write& write : limits_.writes) {
      if (write.mount != mount || write.version != version) continue;
      Step& step = plan_.monitor(unique("limit." + write.file), ops::write_file(directory + "/" + write.file, write.value));
      step.why(std::string(write.knob->reason)).on(std::string(write.knob->flag));
      if (write.knob->optional) step.best_effort();
      keep(step);
    }
  }

  void write_device_rules(const std::string& directory) {
    keep(plan_.monitor("devices.deny", ops::write_file(directory + "/devices.deny", "a")).why("no device, but for this list"));
    int number = 0;
    for (const std::string_view rule : device_rules)
      keep(plan_
               .monitor("devices.allow." + std::to_string(++number),
                        ops::write_file(directory + "/devices.allow", std::string(rule)))
               .why("one write per rule: the file takes no more"));
  }

  // Controllers of the cgroup2 tree that this container needs: "+memory +pids".
  std::string v2_controllers(const Layout& layout) const {
    std::set<std::string> names;
    for (const auto* name : {"memory", "pids"})
      if (const Place* place = layout.find(name); place != nullptr && place->version == Version::v2) names.insert(name);
    for (const Write& write : limits_.writes)
      if (write.version == Version::v2) names.insert(write.controller);
    std::string text;
    for (const std::string& name : names) text += (text.empty() ? "+" : " +") + name;
    return text;
  }

  // Two rates on two devices go to the same file: the second step is "limit.FILE.2".
  std::string unique(const std::string& id) {
    const auto count = std::count(used_.begin(), used_.end(), id) + 1;
    used_.push_back(id);
    return count == 1 ? id : id + "." + std::to_string(count);
  }

  plan::Plan& plan_;
  GroupPlan& group_;
  const LimitWrites& limits_;
  std::vector<std::string> used_;
};

bool is_cpu(std::string_view controllers) {
  return controllers == "cpu" || controllers.starts_with("cpu,") || controllers.find(",cpu,") != std::string_view::npos ||
         controllers.ends_with(",cpu");
}

plan::StepRef attach(plan::Plan& plan, const Attach& group, Lane lane) {
  return plan.add(lane, "attach." + group.controllers, ops::write_file_at(group.directory, "tasks", "0"))
      .why("joins by itself: no lock, unlike a pid written to cgroup.procs")
      .on(group.controllers + " control group");
}

bool below(const std::string& directory, const std::string& mount) {
  return !mount.empty() && directory.starts_with(mount) && (directory.size() == mount.size() || directory[mount.size()] == '/');
}

}  // namespace

GroupPlan add_group_steps(plan::Plan& plan, const Layout& layout, const std::string& id, const LimitWrites& limits,
                          const GroupOptions& options) {
  GroupPlan group;
  Builder builder(plan, group, limits);
  for (const Tree& tree : trees_for(layout, limits, options)) builder.make_v1(tree, group_name(id));
  if (!layout.cgroup2.empty()) builder.make_v2(layout, group_name(id), options.device_rules);
  plan.warnings.insert(plan.warnings.end(), limits.warnings.begin(), limits.warnings.end());
  return group;
}

std::vector<plan::StepRef> add_attach_steps(plan::Plan& plan, const GroupPlan& group, Lane lane) {
  std::vector<plan::StepRef> steps;
  for (const Attach& one : group.attaches)
    if (!is_cpu(one.controllers)) steps.push_back(attach(plan, one, lane));
  return steps;
}

std::optional<plan::StepRef> add_cpu_attach_step(plan::Plan& plan, const GroupPlan& group, Lane lane) {
  for (const Attach& one : group.attaches)
    if (is_cpu(one.controllers)) return attach(plan, one, lane);
  return std::nullopt;
}

std::string oom_file(const Layout& layout, const std::vector<std::string>& directories) {
  const Place* memory = layout.find("memory");
  if (memory == nullptr) return {};
  for (const std::string& directory : directories)
    if (directory.starts_with(memory->mount + "/")) return directory + (memory->version == Version::v1 ? "/memory.oom_control" : "/memory.events");
  return {};
}

std::string member_directory(const Layout& layout, const std::string& directory) {
  const bool controllers = std::any_of(layout.places.begin(), layout.places.end(), [](const Place& place) {
    return place.version == Version::v2 && (place.controller == "memory" || place.controller == "pids");
  });
  return controllers && below(directory, layout.cgroup2) ? directory + "/payload" : directory;
}

JoinPlan add_join_steps(plan::Plan& plan, const Layout& layout, const std::vector<std::string>& directories, Lane lane) {
  JoinPlan join;
  for (const std::string& directory : directories) {
    if (below(directory, layout.cgroup2)) {
      join.cgroup2 = plan.slot("join_cgroup2", SlotKind::fd);
      join.steps.push_back(
          plan.monitor("join.cgroup2", ops::open(member_directory(layout, directory), O_RDONLY | O_DIRECTORY | O_CLOEXEC))
              .why("the new process is born in the group")
              .on("control group of the container")
              .into(join.cgroup2));
      continue;
    }
    const auto place = std::find_if(layout.places.begin(), layout.places.end(),
                                    [&](const Place& p) { return p.version == Version::v1 && below(directory, p.mount); });
    const std::string label = place == layout.places.end() ? directory : place->controller;
    join.steps.push_back(plan.add(lane, "join." + label, ops::write_file(directory + "/tasks", "0"))
                             .why("joins by itself: no lock, unlike a pid written to cgroup.procs")
                             .on("control group of the container"));
  }
  return join;
}

}  // namespace drydock::cgroups
