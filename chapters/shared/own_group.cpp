#include "shared/own_group.hpp"

#include <drydock/cgroups/host.hpp>
#include <drydock/cgroups/knobs.hpp>

namespace drydock::chapter {

OwnGroup::OwnGroup(cgroups::Limits limits) : layout_(cgroups::read_manageable_layout()), limits_(std::move(limits)) {}

void OwnGroup::add_to(Sketch& sketch) {
  sketch.keep_ledger();
  sketch.add(Phase::host, "group", [this](Sketch& s) {
    const auto writes = cgroups::limit_writes(layout_, limits_, cgroups::read_host(layout_, limits_));
    made_ = cgroups::add_group_steps(s.plan(), layout_, s.request.id.substr(0, 16), writes, {.device_rules = false});
    s.cgroup = made_.cgroup2;
  });
  sketch.add(Phase::join, "group.join", [this](Sketch& s) {
    cgroups::add_attach_steps(s.plan(), made_, plan::Lane::payload);
    cgroups::add_cpu_attach_step(s.plan(), made_, plan::Lane::payload);
  });
}

}  // namespace drydock::chapter
