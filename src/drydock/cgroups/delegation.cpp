#include <drydock/cgroups/delegation.hpp>

#include <unistd.h>

#include <drydock/kernel/error.hpp>
#include <drydock/kernel/sys.hpp>

namespace drydock::cgroups {

namespace {

std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> words{""};
  for (const char c : text) {
    if (c != ' ' && c != '\n')
      words.back() += c;
    else if (!words.back().empty())
      words.emplace_back();
  }
  if (words.back().empty()) words.pop_back();
  return words;
}

// What cannot be read is empty: a group may go while we look.
std::string text_of(const std::string& path) {
  try {
    return sys::read_file_if_present(path).value_or("");
  } catch (const Error&) {
    return "";
  }
}

}  // namespace

std::optional<Delegation> choose_delegation(const std::vector<Ancestor>& ancestors) {
  std::optional<Delegation> best;
  for (const Ancestor& one : ancestors) {
    if (!one.writable) break;
    if (!one.has_members) best = Delegation{one.group, words_of(one.controllers)};
  }
  return best;
}

std::vector<Ancestor> read_ancestors(const std::string& mount, const std::string& self) {
  std::vector<Ancestor> found;
  for (std::string group = self == "/" ? "" : self;; group = group.substr(0, group.rfind('/'))) {
    const std::string directory = mount + group;
    const auto writable = [&](const char* file) { return ::access((directory + file).c_str(), W_OK) == 0; };
    found.push_back({group, writable("") && writable("/cgroup.procs") && writable("/cgroup.subtree_control"),
                     !text_of(directory + "/cgroup.procs").empty(), text_of(directory + "/cgroup.controllers")});
    if (group.empty()) return found;
  }
}

}  // namespace drydock::cgroups
