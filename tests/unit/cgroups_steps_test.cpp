// Group steps are data: order, undo and lanes are checked without making a group.
#include <drydock/cgroups/device_rules.hpp>
#include <drydock/cgroups/steps.hpp>
#include <drydock/plan/plan.hpp>

#include <algorithm>

#include "support/catch.hpp"

using namespace drydock;
using namespace drydock::cgroups;
using plan::Lane;

namespace {

Layout layout_of(Shape shape) {
  Layout layout;
  layout.shape = shape;
  if (shape != Shape::v1) layout.cgroup2 = shape == Shape::v2 ? "/cg" : "/cg/unified";
  for (const auto* name : {"blkio", "cpu", "cpuacct", "cpuset", "devices", "freezer", "memory", "pids"})
    if (shape != Shape::v2) layout.places.push_back({name, Version::v1, "/cg/" + std::string(name)});
  for (const auto* name : {"cpu", "cpuset", "io", "memory", "pids"})
    if (shape == Shape::v2) layout.places.push_back({name, Version::v2, "/cg"});
  return layout;
}

std::vector<std::string> ids(const plan::Plan& plan, Lane lane) {
  std::vector<std::string> result;
  for (const plan::Step& step : plan.steps())
    if (step.lane == lane) result.push_back(step.id);
  return result;
}

std::size_t position(const std::vector<std::string>& all, const std::string& id) {
  const auto found = std::find(all.begin(), all.end(), id);
  INFO(id);
  REQUIRE(found != all.end());
  return static_cast<std::size_t>(found - all.begin());
}

struct Built {
  plan::Plan plan;
  GroupPlan group;
};

Built build(Shape shape, const Limits& limits, GroupOptions options = {}) {
  Built built;
  const Layout layout = layout_of(shape);
  Host host;
  host.devices = {{"/dev/vda", "254:0"}, {"/dev/vdb", "254:16"}};
  built.group = add_group_steps(built.plan, layout, "7f3a", limit_writes(layout, limits, host), options);
  add_attach_steps(built.plan, built.group, Lane::payload);
  add_cpu_attach_step(built.plan, built.group, Lane::payload);
  return built;
}

using Strings = std::vector<std::string>;

}  // namespace

TEST_CASE("hybrid: groups only where they are needed, cgroup2 for birth and death", "[cgroups][plan]") {
  const Built built = build(Shape::hybrid, {});
  CHECK(built.group.directories == Strings{"/cg/memory/drydock-7f3a", "/cg/pids/drydock-7f3a", "/cg/devices/drydock-7f3a",
                                           "/cg/cpu/drydock-7f3a", "/cg/unified/drydock-7f3a"});
  CHECK(built.group.cgroup2.valid());
  CHECK(ids(built.plan, Lane::payload) == Strings{"attach.memory", "attach.pids", "attach.devices", "attach.cpu"});
}

TEST_CASE("v1 without cgroup2: time and freezing need groups of their own", "[cgroups][plan]") {
  const Built built = build(Shape::v1, {});
  CHECK_FALSE(built.group.cgroup2.valid());
  const Strings attaches = ids(built.plan, Lane::payload);
  CHECK(attaches == Strings{"attach.memory", "attach.pids", "attach.devices", "attach.cpuacct", "attach.freezer", "attach.cpu"});
}

TEST_CASE("v2: limits on the group, members in its child, controllers handed down in between", "[cgroups][plan]") {
  Limits limits;
  limits.memory = 64 << 20;
  limits.cpus = 0.5;
  const Built built = build(Shape::v2, limits);
  CHECK(built.group.directories == Strings{"/cg/drydock-7f3a"});
  CHECK(ids(built.plan, Lane::payload).empty());
  CHECK(ids(built.plan, Lane::monitor) == Strings{"cgroup2.offer", "cgroup.cgroup2", "limit.memory.max", "limit.memory.swap.max",
                                                  "limit.cpu.max", "cgroup2.keep", "cgroup.cgroup2.payload",
                                                  "cgroup.cgroup2.open"});
  CHECK(std::get<std::string>(built.plan.find("cgroup2.offer").action.args[1]) == "+cpu +memory +pids");
  CHECK(std::get<std::string>(built.plan.find("cgroup.cgroup2.open").action.args[0]) == "/cg/drydock-7f3a/payload");
  CHECK(built.plan.find("limit.memory.swap.max").optional_step);
  CHECK_FALSE(built.plan.find("limit.memory.max").optional_step);
}

TEST_CASE("a user's group stands in the part of the tree that was delegated", "[cgroups][plan]") {
  Layout layout = layout_of(Shape::v2);
  layout.parent2 = "/user.slice/user@7.service";
  plan::Plan plan;
  const GroupPlan group = add_group_steps(plan, layout, "7f3a", {}, {});
  CHECK(group.directories == Strings{"/cg/user.slice/user@7.service/drydock-7f3a"});
}

TEST_CASE("every directory is made with its own undo, limits stand before the descriptor, cpu joins last", "[cgroups][plan]") {
  Limits limits;
  limits.memory = 64 << 20;
  limits.cpu_shares = 512;
  limits.cpuset_cpus = "0";
  limits.write_bps = {{"/dev/vda", 1}, {"/dev/vdb", 2}};
  const Built built = build(Shape::hybrid, limits);
  const Strings all = ids(built.plan, Lane::monitor);
  CHECK(position(all, "cgroup.memory") < position(all, "limit.memory.limit_in_bytes"));
  CHECK(position(all, "limit.memory.limit_in_bytes") < position(all, "limit.memory.memsw.limit_in_bytes"));
  CHECK(position(all, "limit.memory.memsw.limit_in_bytes") < position(all, "cgroup.memory.open"));
  CHECK(position(all, "limit.cpuset.mems") < position(all, "limit.cpuset.cpus"));
  CHECK(position(all, "limit.blkio.throttle.write_bps_device") < position(all, "limit.blkio.throttle.write_bps_device.2"));
  CHECK(ids(built.plan, Lane::payload).back() == "attach.cpu");
  std::size_t made = 0;
  for (const plan::Step& step : built.plan.steps())
    if (step.action.op == plan::Op::mkdir) {
      ++made;
      REQUIRE(step.undo_call.has_value());
      CHECK(step.undo_call->op == plan::Op::remove_cgroup);
      CHECK(std::get<std::string>(step.undo_call->args[0]) == std::get<std::string>(step.action.args[0]));
      // Somebody else's group of that name must survive: EEXIST is a failure.
      CHECK(step.tolerated.empty());
    }
  CHECK(made == built.group.directories.size());
}

TEST_CASE("no step ever writes a pid, and none writes cgroup.procs", "[cgroups][plan]") {
  for (const Shape shape : {Shape::v1, Shape::v2, Shape::hybrid}) {
    const Built built = build(shape, {});
    for (const plan::Step& step : built.plan.steps()) {
      if (step.lane == Lane::payload) CHECK(std::get<std::string>(step.action.args[2]) == "0");
      for (const plan::Arg& argument : step.action.args)
        if (const auto* text = std::get_if<std::string>(&argument)) CHECK(text->find("cgroup.procs") == std::string::npos);
    }
  }
}

TEST_CASE("device rules: deny first, then one write per rule; none for a privileged container", "[cgroups][plan]") {
  const Built normal = build(Shape::hybrid, {});
  const Strings all = ids(normal.plan, Lane::monitor);
  CHECK(position(all, "devices.deny") < position(all, "devices.allow.1"));
  const auto rules = std::count_if(all.begin(), all.end(), [](const auto& id) { return id.starts_with("devices.allow."); });
  CHECK(static_cast<std::size_t>(rules) == device_rules.size());
  CHECK(position(all, "devices.allow." + std::to_string(device_rules.size())) < position(all, "cgroup.devices.open"));
  const Built privileged = build(Shape::hybrid, {}, {.device_rules = false});
  for (const std::string& id : ids(privileged.plan, Lane::monitor)) CHECK(id.find("devices") == std::string::npos);
}

TEST_CASE("controllers on one mount share one group, and join last if cpu is among them", "[cgroups][plan]") {
  Layout layout;
  layout.shape = Shape::v1;
  layout.places = {
      {"cpu", Version::v1, "/cg/cpu,cpuacct"}, {"cpuacct", Version::v1, "/cg/cpu,cpuacct"}, {"pids", Version::v1, "/cg/pids"}};
  plan::Plan plan;
  const GroupPlan group = add_group_steps(plan, layout, "x", {}, {});
  CHECK(group.directories == Strings{"/cg/pids/drydock-x", "/cg/cpu,cpuacct/drydock-x"});
  CHECK(add_attach_steps(plan, group, Lane::payload).size() == 1);
  CHECK(add_cpu_attach_step(plan, group, Lane::payload).has_value());
}

TEST_CASE("exec joins by path on v1 and by birth on cgroup2", "[cgroups][plan]") {
  plan::Plan plan;
  const JoinPlan hybrid =
      add_join_steps(plan, layout_of(Shape::hybrid), {"/cg/memory/drydock-x", "/cg/unified/drydock-x"}, Lane::joiner);
  CHECK(ids(plan, Lane::joiner) == Strings{"join.memory"});
  CHECK(std::get<std::string>(plan.find("join.memory").action.args[0]) == "/cg/memory/drydock-x/tasks");
  CHECK(std::get<std::string>(plan.find("join.cgroup2").action.args[0]) == "/cg/unified/drydock-x");
  CHECK(hybrid.cgroup2.valid());
  plan::Plan other;
  add_join_steps(other, layout_of(Shape::v2), {"/cg/drydock-x"}, Lane::joiner);
  CHECK(std::get<std::string>(other.find("join.cgroup2").action.args[0]) == "/cg/drydock-x/payload");
}

TEST_CASE("two builds of the same thing are the same plan", "[cgroups][plan]") {
  Limits limits;
  limits.memory = 64 << 20;
  CHECK(plan::print(build(Shape::hybrid, limits).plan) == plan::print(build(Shape::hybrid, limits).plan));
}
