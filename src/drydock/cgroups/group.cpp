#include <drydock/cgroups/group.hpp>

#include <signal.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <sstream>

#include <drydock/cgroups/steps.hpp>
#include <drydock/kernel/error.hpp>
#include <drydock/kernel/sys.hpp>

namespace drydock::cgroups {

namespace {

bool below(const std::string& directory, const std::string& mount) {
  return !mount.empty() && directory.starts_with(mount) && (directory.size() == mount.size() || directory[mount.size()] == '/');
}

// "max", "-1" and v1's page-aligned 2^63 mean "no limit".
std::optional<std::uint64_t> number(const std::optional<std::string>& text) {
  std::uint64_t value = 0;
  if (!text || std::from_chars(text->data(), text->data() + text->size(), value).ec != std::errc{}) return std::nullopt;
  return value;
}

std::optional<std::uint64_t> limit(const std::optional<std::string>& text) {
  const auto value = number(text);
  return value && *value < (std::uint64_t{1} << 62) ? value : std::nullopt;
}

std::optional<std::string> try_read(const std::string& path) {
  try {
    return sys::read_file_if_present(path);
  } catch (const Error&) {
    return std::nullopt;  // ENODEV: the group went away between open and read
  }
}

// v1: lines "254:0 Read 4096", the sum over devices; v2: "254:0 rbytes=4096 wbytes=0 ...".
std::optional<std::uint64_t> io_bytes(const std::optional<std::string>& text, std::string_view v1_word, std::string_view v2_key) {
  if (!text) return std::nullopt;
  std::uint64_t sum = 0;
  std::istringstream words(*text);
  std::string previous;
  for (std::string word; words >> word; previous = word) {
    if (previous == v1_word) sum += number(word).value_or(0);
    if (word.starts_with(v2_key)) sum += number(word.substr(v2_key.size())).value_or(0);
  }
  return sum;
}

// The group and every group below it, deepest first.
void collect(const std::string& directory, std::vector<std::string>& all) {
  std::vector<std::string> names;
  try {
    names = sys::list_directory(directory);
  } catch (const Error&) {
    return;
  }
  for (const std::string& name : names)
    if (const auto info = sys::lstat(directory + "/" + name); info && S_ISDIR(info->st_mode))
      collect(directory + "/" + name, all);
  all.push_back(directory);
}

void add_pids(const std::string& directory, std::vector<pid_t>& pids) {
  std::vector<std::string> groups;
  collect(directory, groups);
  for (const std::string& group : groups) {
    std::istringstream words(try_read(group + "/cgroup.procs").value_or(""));
    for (pid_t pid = 0; words >> pid;) pids.push_back(pid);
  }
}

void pause_ms(int milliseconds) {
  const timespec time{milliseconds / 1000, (milliseconds % 1000) * 1000000L};
  (void)nanosleep(&time, nullptr);
}

template <typename Predicate>
bool wait_until(int timeout_ms, Predicate done) {
  const std::uint64_t end = sys::monotonic_ns() + static_cast<std::uint64_t>(timeout_ms) * 1000000;
  while (!done()) {
    if (sys::monotonic_ns() >= end) return false;
    pause_ms(1);
  }
  return true;
}

// A pid may be reused between reading and opening it: only those that are members still, with the descriptor in hand, are hit.
void kill_members(const std::vector<pid_t>& members, const Group& group) {
  std::vector<std::pair<pid_t, Fd>> opened;
  for (const pid_t pid : members) {
    try {
      opened.emplace_back(pid, sys::pidfd_open(pid));
    } catch (const Error& error) {
      if (error.code() != ESRCH) throw;
    }
  }
  const std::vector<pid_t> still = group.pids();
  for (const auto& [pid, fd] : opened)
    if (std::binary_search(still.begin(), still.end(), pid)) (void)sys::pidfd_send_signal(fd, SIGKILL);
}

void remove_directory(const std::string& directory) {
  int code = 0;
  const bool gone = wait_until(1000, [&] {
    try {
      sys::rmdir(directory);
      return true;
    } catch (const Error& error) {
      code = error.code();
      if (code == ENOENT) return true;
      if (code != EBUSY) throw;
      return false;
    }
  });
  if (!gone) throw Error::from_errno("rmdir", "\"" + directory + "\"", code, "the group still has members");
}

}  // namespace

std::optional<std::uint64_t> keyed_value(std::string_view text, std::string_view key) {
  std::istringstream lines{std::string(text)};
  std::string name;
  for (std::uint64_t value = 0; lines >> name >> value;)
    if (name == key) return value;
  return std::nullopt;
}

Group::Group(Layout layout, std::vector<std::string> directories)
    : layout_(std::move(layout)), directories_(std::move(directories)) {}

bool Group::exists() const {
  return std::any_of(directories_.begin(), directories_.end(),
                     [](const std::string& directory) { return sys::exists(directory); });
}

std::string Group::directory_of(std::string_view controller) const {
  const Place* place = layout_.find(controller);
  if (place == nullptr) return "";
  for (const std::string& directory : directories_)
    if (below(directory, place->mount)) return directory;
  return "";
}

std::string Group::cgroup2_directory() const {
  for (const std::string& directory : directories_)
    if (below(directory, layout_.cgroup2)) return directory;
  return "";
}

bool Group::is_v2(std::string_view controller) const {
  const Place* place = layout_.find(controller);
  return place != nullptr && place->version == Version::v2;
}

std::optional<std::string> Group::read(std::string_view controller, const char* v1_file, const char* v2_file) const {
  const std::string directory = directory_of(controller);
  if (directory.empty()) return std::nullopt;
  return try_read(directory + "/" + (is_v2(controller) ? v2_file : v1_file));
}

Usage Group::usage() const {
  Usage usage;
  usage.memory_bytes = number(read("memory", "memory.usage_in_bytes", "memory.current"));
  usage.memory_peak_bytes = number(read("memory", "memory.max_usage_in_bytes", "memory.peak"));
  usage.memory_limit_bytes = limit(read("memory", "memory.limit_in_bytes", "memory.max"));
  usage.tasks = number(read("pids", "pids.current", "pids.current"));
  usage.tasks_limit = limit(read("pids", "pids.max", "pids.max"));
  // cgroup2 counts time without any controller; in hybrid too.
  if (const std::string directory = cgroup2_directory(); !directory.empty()) {
    if (const auto us = keyed_value(try_read(directory + "/cpu.stat").value_or(""), "usage_usec")) usage.cpu_ns = *us * 1000;
  } else {
    usage.cpu_ns = number(read("cpuacct", "cpuacct.usage", "cpuacct.usage"));
  }
  const char* controller = is_v2("io") ? "io" : "blkio";
  const auto bytes = read(controller, "blkio.throttle.io_service_bytes_recursive", "io.stat");
  usage.read_bytes = io_bytes(bytes, "Read", "rbytes=");
  usage.write_bytes = io_bytes(bytes, "Write", "wbytes=");
  return usage;
}

// Before Linux 6.11 a refused fork is counted where it was tried (the members' group), since then where the limit stands.
std::uint64_t Group::fork_failures() const {
  const std::string directory = directory_of("pids");
  if (directory.empty()) return 0;
  std::uint64_t most = 0;
  for (const std::string& place : {directory, member_directory(layout_, directory)})
    most = std::max(most, keyed_value(try_read(place + "/pids.events").value_or(""), "max").value_or(0));
  return most;
}

Events Group::events() const {
  Events events;
  if (const auto text = read("memory", "memory.oom_control", "memory.events"))
    events.oom_kills = keyed_value(*text, "oom_kill").value_or(0);
  events.fork_failures = fork_failures();
  if (const auto text = read("cpu", "cpu.stat", "cpu.stat")) {
    events.periods = keyed_value(*text, "nr_periods").value_or(0);
    events.throttled_periods = keyed_value(*text, "nr_throttled").value_or(0);
    events.throttled_ns =
        is_v2("cpu") ? keyed_value(*text, "throttled_usec").value_or(0) * 1000 : keyed_value(*text, "throttled_time").value_or(0);
  }
  return events;
}

std::vector<pid_t> Group::pids() const {
  std::vector<pid_t> pids;
  for (const std::string& directory : directories_) add_pids(directory, pids);
  std::sort(pids.begin(), pids.end());
  pids.erase(std::unique(pids.begin(), pids.end()), pids.end());
  return pids;
}

std::vector<std::string> Group::set(const Limits& limits, const Host& host) {
  LimitWrites plan = limit_writes(layout_, limits, host);
  std::vector<const Write*> later;
  for (const Write& write : plan.writes) {
    const std::string directory = directory_of(write.controller);
    if (directory.empty()) {
      plan.warnings.push_back(std::string(write.knob->flag) + " has no effect: the container was started without a " +
                              write.controller + " group");
      continue;
    }
    try {
      sys::write_file(directory + "/" + write.file, write.value);
    } catch (const Error& error) {
      // v1 refuses memory above memory+swap: when both grow, the sum has to be written first.
      if (error.code() != EINVAL || write.knob->name != "memory") throw;
      later.push_back(&write);
    }
  }
  for (const Write* write : later) sys::write_file(directory_of(write->controller) + "/" + write->file, write->value);
  return plan.warnings;
}

void Group::write_freezer(bool freeze) {
  if (const std::string directory = cgroup2_directory(); !directory.empty() && sys::exists(directory + "/cgroup.freeze"))
    return sys::write_file(directory + "/cgroup.freeze", freeze ? "1" : "0");
  const std::string directory = directory_of("freezer");
  if (directory.empty())
    throw Error::refused("freeze", "no hierarchy of this container can freeze", "cgroup2 with Linux 5.2 can");
  sys::write_file(directory + "/freezer.state", freeze ? "FROZEN" : "THAWED");
}

bool Group::frozen() const {
  if (const std::string directory = cgroup2_directory(); !directory.empty())
    if (const auto text = try_read(directory + "/cgroup.events"); text && keyed_value(*text, "frozen"))
      return *keyed_value(*text, "frozen") == 1;
  const std::string directory = directory_of("freezer");
  return !directory.empty() && try_read(directory + "/freezer.state").value_or("").starts_with("FROZEN");
}

void Group::freeze() {
  write_freezer(true);
  if (wait_until(2000, [this] { return frozen(); })) return;
  write_freezer(false);
  throw Error::refused("freeze", "some process did not stop within 2 s", "it is waiting in the kernel (state D); try again");
}

void Group::thaw() {
  write_freezer(false);
}

void Group::kill() {
  if (const std::string directory = cgroup2_directory(); !directory.empty() && sys::exists(directory + "/cgroup.kill"))
    return sys::write_file(directory + "/cgroup.kill", "1");
  bool stopped = false;
  try {
    freeze();
    stopped = true;
  } catch (const Error&) {
    // Without a freezer: killing again and again outruns everything but a fork bomb without pids.max.
  }
  wait_until(stopped ? 0 : 1000, [this] {
    const std::vector<pid_t> members = pids();
    kill_members(members, *this);
    return members.empty();
  });
  if (stopped) thaw();  // v1: a frozen process dies only when it is thawed
}

bool Group::wait_empty(int timeout_ms) const {
  return wait_until(timeout_ms, [this] { return pids().empty(); });
}

void Group::remove() {
  for (const std::string& directory : directories_) {
    std::vector<std::string> groups;
    collect(directory, groups);
    for (const std::string& group : groups) remove_directory(group);
  }
}

}  // namespace drydock::cgroups
