#include "shared/sketch.hpp"

#include <linux/sched.h>
#include <unistd.h>

#include <algorithm>

#include <drydock/cgroups/host.hpp>
#include <drydock/container/directories.hpp>
#include <drydock/container/host.hpp>
#include <drydock/container/user_namespace.hpp>
#include <drydock/kernel/error.hpp>
#include <drydock/kernel/sys.hpp>
#include <drydock/namespaces/id_map.hpp>

namespace drydock::chapter {

using namespace plan;

cgroups::Limits Request::default_limits() {
  cgroups::Limits limits;
  limits.memory = 64 << 20;
  limits.memory_swap = 64 << 20;  // none: the limit holds the same with swap and without
  limits.cpus = 0.5;
  limits.pids = 64;
  return limits;
}

cgroups::Layout Request::documented_layout() {
  const std::string mount = "/sys/fs/cgroup";
  cgroups::Layout layout;
  layout.shape = cgroups::Shape::v2;
  for (const char* controller : {"cpu", "cpuset", "io", "memory", "pids"})
    layout.places.push_back({controller, cgroups::Version::v2, mount});
  layout.cgroup2 = mount;
  layout.device_programs = true;
  return layout;
}

image::Image Request::documented_image() {
  image::Image image;
  image.reference = "busybox:latest";
  image.config_digest = "sha256:" + std::string(64, '0');
  for (const char digit : {'1', '2'}) image.layers.push_back("/var/lib/drydock/layers/" + std::string(64, digit));
  return image;
}

Request request_of_this_user(std::vector<std::string> command, const cgroups::Limits& limits) {
  Request request;
  request.command = std::move(command);
  request.limits = limits;
  request.layout = cgroups::read_manageable_layout();
  request.machine = cgroups::read_host(request.layout, limits);
  cgroups::validate(limits, request.machine);
  request.euid = sys::geteuid();
  request.egid = ::getegid();
  request.id = sys::random_hex(64);
  request.ledgers = container::host_directory(container::default_paths()) + "/ledgers";
  return request;
}

void Sketch::add(Phase phase, std::string name, Part part) {
  parts_.push_back({phase, std::move(name), std::move(part)});
}

std::vector<Sketch::Entry>::iterator Sketch::find(const std::string& name) {
  return std::find_if(parts_.begin(), parts_.end(), [&](const Entry& entry) { return entry.name == name; });
}

void Sketch::replace(const std::string& name, Part part) {
  const auto found = find(name);
  if (found == parts_.end()) throw Error::refused("part '" + name + "' of a plan", "no chapter before this one adds it");
  if (part)
    found->part = std::move(part);
  else
    parts_.erase(found);
}

void Sketch::keep_ledger() {
  if (has("ledger")) return;
  add(Phase::host, "ledger", [](Sketch& sketch) {
    const std::string path = sketch.request.ledgers + "/" + sketch.request.id;
    sketch.plan()
        .monitor("ledger", ops::linkat({}, path))
        .undo(ops::unlink(path), UndoAt::remove)
        .on("ledger " + path)
        .why("from here on everything that is made is on record");
    sketch.settings.ledger_path = path;
  });
}

void Sketch::run(Phase phase) {
  for (const Entry& entry : parts_)
    if (entry.phase == phase) entry.part(*this);
}

void Sketch::clone() {
  child = plan_.slot("child", SlotKind::pid);
  plan_.slot("child_fd", SlotKind::fd);
  settings.payload = child;
  plan_.monitor("clone", ops::clone3(static_cast<std::int64_t>(clone_flags), cgroup, Lane::payload))
      .into(child)
      .on("the container")
      .why("one child; each CLONE_NEW flag is a view of its own");
  plan_.payload("die_with_monitor", ops::die_with_parent())
      .on("the container")
      .why("nobody is left behind when the monitor is killed");
}

namespace {

// What an ordinary user must do first: a user namespace in which the one id that is theirs is root.
void add_own_user_namespace(Sketch& sketch) {
  const namespaces::Maps maps{{{0, sketch.request.euid, 1}}, {{0, sketch.request.egid, 1}}};
  const auto writer = namespaces::MapWriter::self;
  const StepRef written = container::add_id_maps(sketch.plan(), sketch.child, maps, writer);
  container::add_become_root(sketch.plan(), written, writer);
}

}  // namespace

Draft Sketch::build() && {
  const bool own_userns = request.euid != 0 && (clone_flags & CLONE_NEWUSER) == 0 && clone_flags != 0;
  if (own_userns) clone_flags |= CLONE_NEWUSER;
  run(Phase::host);
  clone();
  if (own_userns) add_own_user_namespace(*this);
  for (const Phase phase :
       {Phase::outside, Phase::join, Phase::isolate, Phase::root, Phase::mounts, Phase::names, Phase::enter, Phase::program})
    run(phase);
  std::string search_path;
  for (const std::string& entry : request.env)
    if (entry.starts_with("PATH=")) search_path = entry.substr(5);
  plan_.payload("exec", ops::exec(request.command, request.env, search_path))
      .on("program '" + request.command.front() + "'")
      .why("from here on it is the program's own");
  settings.id = request.id;
  settings.exec_step = "exec";
  settings.flags |= wire::flag_remove;
  return {std::move(plan_), std::move(settings)};
}

namespace {

std::vector<Growth::Words>& registry() {
  static std::vector<Growth::Words> all;
  return all;
}

}  // namespace

Growth::Growth(Words words) {
  auto& all = registry();
  all.insert(
      std::upper_bound(all.begin(), all.end(), words, [](const Words& a, const Words& b) { return a.chapter < b.chapter; }),
      words);
}

const std::vector<Growth::Words>& growths() {
  return registry();
}

Plan plan_of(int number, const Request& request) {
  const bool any =
      std::any_of(registry().begin(), registry().end(), [&](const Growth::Words& growth) { return growth.chapter <= number; });
  return any ? sketch_of(number, request).build().plan : Plan();
}

Sketch sketch_of(int number, Request request) {
  Sketch sketch(std::move(request));
  for (const Growth::Words& growth : registry())
    if (growth.chapter <= number) growth.grow(sketch);
  return sketch;
}

namespace {

const Step* find(const Plan& plan, const std::string& id) {
  const auto found = std::find_if(plan.steps().begin(), plan.steps().end(), [&](const Step& step) { return step.id == id; });
  return found == plan.steps().end() ? nullptr : &*found;
}

// Steps of `plan` that `other` has too, lane by lane: the order is compared among these only.
std::vector<const Step*> common(const Plan& plan, const Plan& other, Lane lane) {
  std::vector<const Step*> steps;
  for (const Step& step : plan.steps()) {
    const Step* twin = find(other, step.id);
    if (twin != nullptr && step.lane == lane && twin->lane == lane) steps.push_back(&step);
  }
  return steps;
}

// Fewest steps that must be taken out for the rest to stand in the same order: all but a longest common subsequence.
std::vector<std::string> moved_steps(const std::vector<const Step*>& before, const std::vector<const Step*>& after) {
  const std::size_t rows = before.size(), columns = after.size();
  std::vector<std::vector<std::size_t>> longest(rows + 1, std::vector<std::size_t>(columns + 1));
  for (std::size_t i = rows; i-- > 0;)
    for (std::size_t j = columns; j-- > 0;)
      longest[i][j] = before[i]->id == after[j]->id ? longest[i + 1][j + 1] + 1 : std::max(longest[i + 1][j], longest[i][j + 1]);
  std::vector<std::string> moved;
  for (std::size_t i = 0, j = 0; j < columns;) {
    if (i < rows && before[i]->id == after[j]->id)
      ++i, ++j;
    else if (i < rows && longest[i + 1][j] >= longest[i][j + 1])
      ++i;
    else
      moved.push_back(after[j++]->id);
  }
  return moved;
}

}  // namespace

Difference difference(const Plan& before, const Plan& after) {
  Difference out;
  for (const Step& step : after.steps()) {
    const Step* twin = find(before, step.id);
    if (twin == nullptr)
      out.added.push_back(step.id);
    else if (twin->lane != step.lane)
      out.moved.push_back(step.id);
    else if (print(twin->action, before.slots()) != print(step.action, after.slots()))
      out.changed.push_back(step.id);
  }
  for (const Step& step : before.steps())
    if (find(after, step.id) == nullptr) out.removed.push_back(step.id);
  for (int lane = 0; lane < lane_count; ++lane)
    for (std::string& id :
         moved_steps(common(before, after, static_cast<Lane>(lane)), common(after, before, static_cast<Lane>(lane))))
      out.moved.push_back(std::move(id));
  return out;
}

}  // namespace drydock::chapter
