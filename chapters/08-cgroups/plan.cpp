// What chapter 08 adds to the plan: control groups with their limits before they have a member, a child that is born in them (v2)
// or joins by itself (v1), and a cgroup namespace so that it sees no more of the tree than its own.
#include <linux/sched.h>

#include <drydock/cgroups/steps.hpp>
#include <drydock/mounts/system.hpp>

#include "shared/sketch.hpp"

namespace drydock::chapter {

using namespace plan;

namespace {

constexpr Lane lane = Lane::payload;

void groups(Sketch& sketch) {
  const Request& request = sketch.request;
  sketch.group = cgroups::add_group_steps(sketch.plan(), request.layout, request.id.substr(0, 16),
                                          cgroups::limit_writes(request.layout, request.limits, request.machine), {});
  sketch.cgroup = sketch.group.cgroup2;
}

// Before the ids change: the files of the groups belong to root of the host.
void join(Sketch& sketch) {
  cgroups::add_attach_steps(sketch.plan(), sketch.group, lane);
  cgroups::add_cpu_attach_step(sketch.plan(), sketch.group, lane);
}

// The namespace's root is where the process stands when it is made, so that comes after the joins.
void view(Sketch& sketch) {
  sketch.plan()
      .payload("cgroup.namespace", ops::unshare(CLONE_NEWCGROUP))
      .on("cgroup namespace")
      .why("its own group is the root of what it sees");
  std::vector<mounts::CgroupView> views;
  for (const cgroups::Attach& attach : sketch.group.attaches)
    views.push_back({attach.controllers.substr(0, attach.controllers.find(',')), attach.controllers});
  if (sketch.request.layout.shape == cgroups::Shape::v2)
    views = {{"", ""}};
  else if (sketch.group.cgroup2.valid())
    views.push_back({"unified", ""});
  mounts::add_cgroup_mounts(sketch.plan(), lane, sketch.root, views, true);
}

}  // namespace

const Growth control_groups{
    {.chapter = 8,
     .adds = {"ledger", "cgroup2.offer", "cgroup.cgroup2", "limit.memory.max", "limit.memory.swap.max", "limit.cpu.max",
              "limit.pids.max", "cgroup2.keep", "cgroup.cgroup2.payload", "cgroup.cgroup2.open", "devices", "cgroup.namespace",
              "mount.cgroup.place", "mount.cgroup.open", "mount.cgroup.source", "mount.cgroup.create", "mount.cgroup",
              "mount.cgroup.attach"},
     .changes = {"clone"},
     .grow = [](Sketch& sketch) {
       const cgroups::Layout& layout = sketch.request.layout;
       if (!layout.places.empty() || !layout.cgroup2.empty()) sketch.keep_ledger();  // there will be groups
       sketch.add(Phase::host, "groups", groups);
       sketch.add(Phase::join, "join groups", join);
       sketch.add(Phase::mounts, "cgroup namespace", view);
     }}};

}  // namespace drydock::chapter
