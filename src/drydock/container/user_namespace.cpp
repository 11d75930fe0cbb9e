#include <drydock/container/user_namespace.hpp>

#include <drydock/kernel/error.hpp>

namespace drydock::container {

using namespace plan;

namespace {

std::vector<namespaces::IdMap> taken(const std::vector<IdRange>& ranges) {
  std::vector<namespaces::IdMap> out;
  for (const IdRange& range : ranges) out.push_back({range.inside, range.outside, range.count});
  return out;
}

// What root of the container is outside.
std::int64_t outside_root(const std::vector<namespaces::IdMap>& maps) {
  for (const namespaces::IdMap& map : maps)
    if (map.inside == 0 && map.count > 0) return map.outside;
  throw Error::refused("--userns", "the map does not say who root of the container is outside", "let the first range begin at 0, for example 0:100000:65536");
}

}  // namespace

namespaces::Maps maps_of(const Spec& spec, const Host& host) {
  namespaces::Maps maps = host.default_maps;
  if (!spec.userns.uids.empty()) maps.uids = taken(spec.userns.uids);
  if (!spec.userns.gids.empty()) maps.gids = taken(spec.userns.gids);
  return maps;
}

namespaces::MapWriter writer_of(const namespaces::Maps& maps, const Host& host) {
  return namespaces::choose_writer(host.euid, host.egid, maps, host.subuids, host.subgids);
}

StepRef add_id_maps(Plan& plan, Slot child, const namespaces::Maps& maps, namespaces::MapWriter writer) {
  return namespaces::add_map_steps(plan, writer, child, maps);
}

void add_upper_owner(Plan& plan, const std::string& upper, const namespaces::Maps& maps) {
  plan.monitor("files.upper.owner", ops::fchownat(upper, outside_root(maps.uids), outside_root(maps.gids))).on(upper).why("root of the container owns its root directory");
}

void add_become_root(Plan& plan, StepRef maps_written, namespaces::MapWriter writer) {
  if (writer != namespaces::MapWriter::self)
    plan.payload("userns.groups", ops::setgroups({})).after(maps_written).on("user namespace").why("groups of the host mean nothing here");
  plan.payload("userns.gid", ops::setresgid(0)).after(maps_written).on("user namespace").why("root of the new user namespace");
  plan.payload("userns.uid", ops::setresuid(0)).on("user namespace").why("root of the new user namespace");
  plan.payload("userns.die_with_monitor", ops::die_with_parent()).on("the container").why("a change of ids clears it: prctl(2)");
}

}  // namespace drydock::container
