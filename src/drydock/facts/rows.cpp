#include <drydock/facts/report.hpp>

#include <map>
#include <utility>

namespace drydock::facts {

namespace {

std::string joined(const std::vector<std::string>& words, const char* between) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : between) + word;
  return text;
}

template <typename Numbers>
std::string numbers(const Numbers& values) {
  std::vector<std::string> words;
  for (const auto value : values) words.push_back(std::to_string(value));
  return joined(words, " ");
}

std::string map_words(const std::vector<IdMapLine>& map) {
  std::vector<std::string> words;
  for (const IdMapLine& line : map)
    words.push_back(std::to_string(line.inside) + " -> " + std::to_string(line.outside) + " (" + std::to_string(line.count) +
                    " ids)");
  return joined(words, ", ");
}

// Collects rows and keeps names unique within their group.
class Collector {
 public:
  void in(std::string group) {
    group_ = std::move(group);
    seen_.clear();
  }
  void add(std::string name, std::string value) {
    const int count = ++seen_[name];
    if (count > 1) name += " #" + std::to_string(count);
    rows_.push_back({group_, std::move(name), std::move(value)});
  }
  void add_if(const std::string& name, const std::string& value) {
    if (!value.empty()) add(name, value);
  }
  std::vector<Row> take() { return std::move(rows_); }

 private:
  std::string group_;
  std::map<std::string, int> seen_;
  std::vector<Row> rows_;
};

void process_rows(Collector& out, const Snapshot& s) {
  out.in("process");
  out.add("pid", std::to_string(s.pid));
  out.add_if("pid in each namespace", numbers(s.status.ns_pids));
  out.add("parent", std::to_string(s.status.parent));
  out.add("name", s.status.name);
  out.add("state", s.status.state);
  out.add("threads", std::to_string(s.status.threads));
  out.add("start time", std::to_string(s.start_time) + " ticks after boot");
  out.add_if("command line", joined(s.command_line, " "));
  out.add_if("executable", s.executable);
  out.add_if("working directory", s.working_directory);
  out.add_if("root", s.root);
  if (s.hostname) out.add("hostname", *s.hostname);
  if (s.oom_score_adj) out.add("oom_score_adj", std::to_string(*s.oom_score_adj));
}

void identity_rows(Collector& out, const Snapshot& s) {
  out.in("namespaces");
  for (const auto& [kind, inode] : s.namespaces) out.add(kind, std::to_string(inode));
  out.in("ids");
  out.add("uid real/effective/saved/fs", numbers(s.status.uids));
  out.add("gid real/effective/saved/fs", numbers(s.status.gids));
  out.add_if("groups", numbers(s.status.groups));
  out.add_if("uid map inside -> outside", map_words(s.uid_map));
  out.add_if("gid map inside -> outside", map_words(s.gid_map));
  out.add_if("setgroups", s.setgroups);
  out.in("security");
  const Capabilities& sets = s.status.capabilities;
  out.add("capabilities effective", capability_words(sets.effective));
  out.add("capabilities permitted", capability_words(sets.permitted));
  out.add("capabilities inheritable", capability_words(sets.inheritable));
  out.add("capabilities bounding", capability_words(sets.bounding));
  out.add("capabilities ambient", capability_words(sets.ambient));
  out.add("no_new_privs", s.status.no_new_privs ? "yes" : "no");
  std::string seccomp = seccomp_words(s.status.seccomp);
  if (s.status.seccomp_filters && *s.status.seccomp_filters > 0)
    seccomp += ", " + std::to_string(*s.status.seccomp_filters) + " loaded";
  out.add("seccomp", seccomp);
}

void resource_rows(Collector& out, const Snapshot& s) {
  out.in("cgroups");
  for (const CgroupFact& group : s.cgroups) {
    const std::string hierarchy = group.hierarchy == 0 && group.controllers.empty() ? "v2" : group.controllers;
    out.add(hierarchy, group.path);
    for (const auto& [file, content] : group.limits) out.add_if(hierarchy + " " + file, content);
  }
  out.in("resource limits");
  for (const Rlimit& limit : s.rlimits) {
    const std::string unit = limit.unit.empty() ? "" : " " + limit.unit;
    out.add(limit.name, limit.soft == limit.hard ? limit.soft + unit : limit.soft + unit + " (hard " + limit.hard + ")");
  }
}

void network_rows(Collector& out, const Snapshot& s) {
  out.in("network");
  for (const Link& link : s.links) {
    std::vector<std::string> held;
    for (const Address& address : s.addresses)
      if (address.link == link.name) held.push_back(address.address);
    out.add("link " + link.name, held.empty() ? "no address" : joined(held, " "));
  }
  for (const Address& address : s.addresses)
    if (address.link.empty()) out.add("address " + address.address, "on a link without a route to it");
  for (const Route& route : s.routes)
    out.add("route " + route.destination, (route.gateway.empty() ? "" : "via " + route.gateway + " ") + "on " + route.link);
}

void file_rows(Collector& out, const Snapshot& s) {
  out.in("mounts");
  for (const Mount& mount : s.mounts) {
    std::string value = mount.type + " " + mount.source;
    if (mount.root != "/") value += " root=" + mount.root;
    out.add(mount.target, value + " " + mount.options + " " + mount.propagation);
  }
  out.in("descriptors");
  for (const Descriptor& descriptor : s.descriptors) out.add(std::to_string(descriptor.number), descriptor.target);
  out.in("not known");
  for (const Note& note : s.notes) out.add(note.fact, note.why);
}

std::string title(const Snapshot& snapshot) {
  return "process " + std::to_string(snapshot.pid) + " (" + snapshot.status.name + ")";
}

}  // namespace

std::vector<Row> rows(const Snapshot& snapshot) {
  Collector out;
  process_rows(out, snapshot);
  identity_rows(out, snapshot);
  resource_rows(out, snapshot);
  network_rows(out, snapshot);
  file_rows(out, snapshot);
  return out.take();
}

Diff diff(const Snapshot& a, const Snapshot& b) {
  using Key = std::pair<std::string, std::string>;
  const std::vector<Row> left = rows(a), right = rows(b);
  std::map<Key, std::string> on_left, on_right;
  for (const Row& row : left) on_left[{row.group, row.name}] = row.value;
  for (const Row& row : right) on_right[{row.group, row.name}] = row.value;
  // Groups stay together, in the order of the report: a fact that only the right side has stands last in its group.
  std::vector<std::string> groups;
  std::map<std::string, std::vector<Change>> by_group;
  for (const std::vector<Row>* side : {&left, &right})
    for (const Row& row : *side)
      if (by_group.try_emplace(row.group).second) groups.push_back(row.group);
  Diff result{title(a), title(b), {}, 0};
  const auto note = [&](const Row& row, std::optional<std::string> before, std::optional<std::string> after) {
    by_group[row.group].push_back({row.group, row.name, std::move(before), std::move(after)});
  };
  for (const Row& row : left) {
    const auto other = on_right.find({row.group, row.name});
    if (other == on_right.end())
      note(row, row.value, std::nullopt);
    else if (other->second != row.value)
      note(row, row.value, other->second);
    else
      ++result.same;
  }
  for (const Row& row : right)
    if (on_left.find({row.group, row.name}) == on_left.end()) note(row, std::nullopt, row.value);
  for (const std::string& group : groups)
    for (Change& change : by_group[group]) result.changes.push_back(std::move(change));
  return result;
}

}  // namespace drydock::facts
