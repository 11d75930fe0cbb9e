#include <drydock/facts/report.hpp>

#include <nlohmann/json.hpp>

#include <drydock/kernel/symbols.hpp>

namespace drydock::facts {

namespace {

using Json = nlohmann::ordered_json;

std::string dumped(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

Json id_map(const std::vector<IdMapLine>& map) {
  Json list = Json::array();
  for (const IdMapLine& line : map) list.push_back({{"inside", line.inside}, {"outside", line.outside}, {"count", line.count}});
  return list;
}

Json names_of(std::uint64_t set) {
  Json list = Json::array();
  for (int number = 0; number < 64; ++number)
    if ((set >> number & 1) != 0) list.push_back(symbols::capability(number));
  return list;
}

Json security(const Status& status) {
  const Capabilities& sets = status.capabilities;
  Json json{{"capabilities",
             {{"effective", names_of(sets.effective)},
              {"permitted", names_of(sets.permitted)},
              {"inheritable", names_of(sets.inheritable)},
              {"bounding", names_of(sets.bounding)},
              {"ambient", names_of(sets.ambient)}}},
            {"no_new_privs", status.no_new_privs},
            {"seccomp", seccomp_words(status.seccomp)}};
  if (status.seccomp_filters) json["seccomp_filters"] = *status.seccomp_filters;
  return json;
}

Json ids(const Snapshot& s) {
  const auto four = [](const std::array<std::uint32_t, 4>& values) {
    return Json{{"real", values[0]}, {"effective", values[1]}, {"saved", values[2]}, {"file_system", values[3]}};
  };
  return {{"uid", four(s.status.uids)},   {"gid", four(s.status.gids)},   {"groups", s.status.groups},
          {"uid_map", id_map(s.uid_map)}, {"gid_map", id_map(s.gid_map)}, {"setgroups", s.setgroups}};
}

Json mounts(const Snapshot& s) {
  Json list = Json::array();
  for (const Mount& mount : s.mounts)
    list.push_back({{"id", mount.id},
                    {"parent", mount.parent},
                    {"device", mount.device},
                    {"root", mount.root},
                    {"target", mount.target},
                    {"options", mount.options},
                    {"propagation", mount.propagation},
                    {"type", mount.type},
                    {"source", mount.source},
                    {"super_options", mount.super_options}});
  return list;
}

Json cgroups(const Snapshot& s) {
  Json list = Json::array();
  for (const CgroupFact& group : s.cgroups)
    list.push_back({{"version", group.hierarchy == 0 && group.controllers.empty() ? 2 : 1},
                    {"controllers", group.controllers},
                    {"path", group.path},
                    {"directory", group.directory},
                    {"limits", group.limits}});
  return list;
}

Json network(const Snapshot& s) {
  Json links = Json::array(), addresses = Json::array(), routes = Json::array();
  for (const Link& link : s.links)
    links.push_back({{"name", link.name}, {"received_bytes", link.received_bytes}, {"sent_bytes", link.sent_bytes}});
  for (const Address& address : s.addresses) addresses.push_back({{"address", address.address}, {"link", address.link}});
  for (const Route& route : s.routes)
    routes.push_back({{"destination", route.destination}, {"gateway", route.gateway}, {"link", route.link}});
  return {{"links", links}, {"addresses", addresses}, {"routes", routes}};
}

Json process(const Snapshot& s) {
  Json json{{"pid", s.pid},
            {"ns_pids", s.status.ns_pids},
            {"parent", s.status.parent},
            {"name", s.status.name},
            {"state", s.status.state},
            {"threads", s.status.threads},
            {"start_time", s.start_time},
            {"command_line", s.command_line},
            {"executable", s.executable},
            {"working_directory", s.working_directory},
            {"root", s.root}};
  if (s.hostname) json["hostname"] = *s.hostname;
  if (s.oom_score_adj) json["oom_score_adj"] = *s.oom_score_adj;
  return json;
}

}  // namespace

std::string to_json(const Snapshot& snapshot) {
  Json json{{"process", process(snapshot)}, {"namespaces", snapshot.namespaces},
            {"ids", ids(snapshot)},         {"security", security(snapshot.status)},
            {"cgroups", cgroups(snapshot)}, {"rlimits", Json::array()},
            {"network", network(snapshot)}, {"mounts", mounts(snapshot)},
            {"descriptors", Json::array()}, {"notes", Json::array()}};
  for (const Rlimit& limit : snapshot.rlimits)
    json["rlimits"].push_back({{"name", limit.name}, {"soft", limit.soft}, {"hard", limit.hard}, {"unit", limit.unit}});
  for (const Descriptor& descriptor : snapshot.descriptors)
    json["descriptors"].push_back({{"number", descriptor.number}, {"target", descriptor.target}});
  for (const Note& note : snapshot.notes) json["notes"].push_back({{"fact", note.fact}, {"why", note.why}});
  return dumped(json);
}

std::string to_json(const Diff& diff) {
  Json changes = Json::array();
  for (const Change& change : diff.changes) {
    Json entry{{"group", change.group}, {"name", change.name}, {"a", nullptr}, {"b", nullptr}};
    if (change.a) entry["a"] = *change.a;
    if (change.b) entry["b"] = *change.b;
    changes.push_back(std::move(entry));
  }
  return dumped({{"a", diff.a}, {"b", diff.b}, {"same", diff.same}, {"changes", changes}});
}

}  // namespace drydock::facts
