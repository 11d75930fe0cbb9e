// Finding containers by their ledgers, and cleaning up behind monitors that died.
#include <fcntl.h>

#include <algorithm>

#include <nlohmann/json.hpp>

#include <drydock/cgroups/group.hpp>
#include <drydock/container/directories.hpp>
#include <drydock/container/engine.hpp>
#include <drydock/container/host.hpp>
#include <drydock/kernel/error.hpp>
#include <drydock/kernel/sys.hpp>
#include <drydock/network/pool.hpp>

namespace drydock::container {

namespace wire = plan::wire;

namespace {

Status status_of(const plan::Ledger& ledger) {
  switch (ledger.header().phase) {
    case wire::Phase::running: return Status::running;
    case wire::Phase::exited: return Status::exited;
    case wire::Phase::removing:
    case wire::Phase::failed: return Status::removing;
    default: return Status::created;
  }
}

}  // namespace

bool is_frozen(const Record& record) {
  try {
    return cgroups::Group(cgroups::read_manageable_layout(), record.cgroups).frozen();
  } catch (const Error&) {
    return false;  // the group went away while we looked
  }
}

Error frozen(const Record& record) {
  std::string how = "thaw it first";
  for (const std::string& directory : record.cgroups) {
    if (sys::exists(directory + "/cgroup.freeze")) how += ": echo 0 > " + directory + "/cgroup.freeze";
    else if (sys::exists(directory + "/freezer.state")) how += ": echo THAWED > " + directory + "/freezer.state";
    else continue;
    break;
  }
  return Error::refused("container '" + record.name + "'", "it is frozen, and nothing in it runs", how);
}

Record record_of(const plan::Ledger& ledger, const std::string& path) {
  const wire::Header& head = ledger.header();
  const nlohmann::json note = nlohmann::json::parse(ledger.text(head.annotation));
  Record record;
  record.id = head.id;
  record.name = head.name;
  record.image = note.at("image");
  record.image_id = note.at("image_id");
  record.layers = note.at("layers").get<std::vector<std::string>>();
  record.command = note.at("command").get<std::vector<std::string>>();
  record.address = note.at("address");
  record.cgroups = note.at("cgroups").get<std::vector<std::string>>();
  record.spec = spec_from_json(note.at("spec").dump());
  record.status = status_of(ledger);
  if (record.status == Status::running && is_frozen(record)) record.status = Status::frozen;
  const bool runs = record.status == Status::running || record.status == Status::frozen;
  record.pid = runs ? head.payload_pid : 0;
  record.pid_start = head.payload_start;
  record.monitor = head.monitor_pid;
  record.created_ns = head.created_ns;
  record.started_ns = head.started_ns;
  record.finished_ns = head.finished_ns;
  record.exit_code = head.exit_code;
  record.out_of_memory = head.out_of_memory != 0;
  record.log_path = std::string(ledger.text(head.log_path));
  record.ledger_path = path;
  return record;
}

namespace {

// Ledgers vanish while others look at them; one that is gone or damaged is passed over by whoever lists.
std::optional<plan::Ledger> open_if_present(const std::string& path) {
  try {
    return plan::Ledger(path);
  } catch (const Error&) {
    return std::nullopt;
  }
}

}  // namespace

namespace {

// Not a program of exec, and not a plan of somebody's own, which carries no note about a container.
bool is_container(const plan::Ledger& ledger) {
  return (ledger.header().flags & wire::flag_exec) == 0 && !ledger.text(ledger.header().annotation).empty();
}

void append_records(std::vector<Record>& records, const std::string& host) {
  for (const std::string& path : plan::ledger_paths(host + "/ledgers")) {
    const auto ledger = open_if_present(path);
    if (!ledger || !is_container(*ledger)) continue;
    records.push_back(record_of(*ledger, path));
  }
}

}  // namespace

std::vector<Record> Engine::list_of_all_hosts() const {
  std::vector<Record> records;
  if (!sys::exists(paths_.state)) return records;
  for (const std::string& host : sys::list_directory(paths_.state)) append_records(records, paths_.state + "/" + host);
  return records;
}

std::vector<Record> Engine::list(bool all) const {
  std::vector<Record> records;
  append_records(records, host_directory(paths_));
  std::erase_if(records, [all](const Record& record) {
    const bool runs = record.status == Status::running || record.status == Status::frozen;
    return record.status == Status::removing || (!all && !runs);
  });
  std::sort(records.begin(), records.end(), [](const Record& a, const Record& b) { return a.created_ns > b.created_ns; });
  return records;
}

Record Engine::find(const std::string& container) const {
  std::vector<Record> matches;
  for (Record& record : list(true)) {
    if (record.name == container || record.id == container) return std::move(record);
    if (container.size() >= 2 && record.id.starts_with(container)) matches.push_back(std::move(record));
  }
  if (matches.size() == 1) return std::move(matches.front());
  if (matches.empty()) throw Error::refused("container '" + container + "'", "there is none with that name or id on this host", "see 'drydock ps -a'");
  throw Error::refused("container '" + container + "'", "more than one id begins like that", "write more digits of the id; see 'drydock ps -a'");
}

namespace {

constexpr int patience_ms = 1000;  // the links of a container that was killed go with its processes, a little later

network::Pool pool_of(const std::string& host) {
  return network::Pool(network::Pool::HostDirectory{host}, network::BridgeConfig{});
}

// What a dead monitor left of one container. A detached one that ran and is not --rm stays, as one that was killed.
bool recover_one(plan::Ledger& ledger, const std::string& host) {
  if (ledger.monitor_lives_on()) return false;
  wire::Header& head = ledger.header();
  // A monitor may also be killed while it undoes: then the phase says exited already.
  const bool ran = head.phase == wire::Phase::running, ended = head.phase == wire::Phase::exited;
  if (ended && head.undone_mono_ns != 0) return false;
  const bool keep = (ended || (ran && (head.flags & wire::flag_detached) != 0)) && (head.flags & (wire::flag_remove | wire::flag_exec)) == 0;
  if (!ledger.recover(!keep)) return false;
  // The dead monitor would have said so. The process that leased the address may live on, and would keep it for ever.
  if (sys::geteuid() == 0) pool_of(host).end(head.id);
  if (keep && ran) {
    head.exit_code = 137;
    head.finished_ns = sys::realtime_ns();
  }
  return true;
}

}  // namespace

void Engine::recover(bool starts_another) {
  const std::string host = host_directory(paths_);
  for (const std::string& path : plan::ledger_paths(host + "/ledgers"))
    if (auto ledger = open_if_present(path)) recover_one(*ledger, host);
  if (sys::geteuid() == 0) pool_of(host).release_if_idle(starts_another ? 0 : patience_ms);
}

std::vector<std::string> Engine::reset(bool all) {
  std::vector<std::string> done;
  const std::string host = host_directory(paths_);
  for (const std::string& path : plan::ledger_paths(host + "/ledgers")) {
    auto ledger = open_if_present(path);
    if (!ledger) continue;
    const std::string who = std::string(ledger->header().name) + " (" + std::string(ledger->header().id).substr(0, 12) + ")";
    if (recover_one(*ledger, host)) done.push_back("undid what the dead monitor of " + who + " had left");
  }
  if (all)
    for (const Record& record : list(true)) {
      try {
        remove(record.id, true);
        done.push_back("removed container " + record.name);
      } catch (const Error&) {
        if (sys::exists(record.ledger_path)) throw;  // else somebody was faster
      }
    }
  if (sys::geteuid() == 0) {
    if (pool_of(host).release_if_idle(patience_ms)) done.push_back("took down the bridge and its address translation");
    pool_of(host).wait_released(3 * patience_ms);
  }
  remove_idle_directories(paths_);
  return done;
}

}  // namespace drydock::container
