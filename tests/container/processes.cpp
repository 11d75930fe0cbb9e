#include "container/processes.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <optional>

#include <drydock/kernel/error.hpp>
#include <drydock/kernel/sys.hpp>

namespace drydock::test {

namespace {

struct Stat {
  pid_t parent = 0;
  char state = 0;
  std::string name;
};

std::optional<Stat> stat_of(const std::string& pid) {
  const auto text = sys::read_file_if_present("/proc/" + pid + "/stat");
  if (!text) return std::nullopt;
  const std::size_t open = text->find('('), close = text->rfind(')');
  if (open == std::string::npos || close == std::string::npos) return std::nullopt;
  return Stat{static_cast<pid_t>(std::stol(text->substr(close + 4))), (*text)[close + 2], text->substr(open + 1, close - open - 1)};
}

std::map<pid_t, Stat> process_table() {
  std::map<pid_t, Stat> table;
  for (const std::string& name : sys::list_directory("/proc")) {
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    try {
      if (auto stat = stat_of(name)) table[static_cast<pid_t>(std::stol(name))] = *stat;
    } catch (const Error&) {  // it ended while it was read (ESRCH)
    }
  }
  return table;
}

bool descends(const std::map<pid_t, Stat>& table, pid_t pid, pid_t from) {
  for (int depth = 0; depth < 64 && pid > 1; ++depth) {
    const auto found = table.find(pid);
    if (found == table.end()) return false;
    if (found->second.parent == from) return true;
    pid = found->second.parent;
  }
  return false;
}

}  // namespace

std::map<pid_t, std::string> descendants() {
  const auto table = process_table();
  std::map<pid_t, std::string> found;
  for (const auto& [pid, stat] : table)
    if (stat.state != 'Z' && descends(table, pid, ::getpid())) found[pid] = stat.name;
  return found;
}

std::vector<pid_t> children_of(pid_t parent) {
  std::vector<pid_t> children;
  for (const auto& [pid, stat] : process_table())
    if (stat.state != 'Z' && stat.parent == parent) children.push_back(pid);
  return children;
}

void reap_orphans() {
  for (const auto& [pid, stat] : process_table())
    if (stat.state == 'Z' && stat.parent == ::getpid()) ::waitpid(pid, nullptr, WNOHANG);
}

}  // namespace drydock::test
