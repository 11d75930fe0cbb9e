// drydock version: the program, and what this machine offers to it.
#include <sys/utsname.h>

#include <drydock/facts/parse.hpp>
#include <drydock/kernel/sys.hpp>

#include "commands.hpp"
#include "output.hpp"
#include "session.hpp"

namespace drydock::cli {

namespace {

std::string cgroup_words() {
  bool first = false, second = false;
  for (const facts::Mount& mount : facts::parse::mountinfo(sys::read_file("/proc/self/mountinfo"))) {
    first = first || mount.type == "cgroup";
    second = second || mount.type == "cgroup2";
  }
  if (first && second) return "version 1 and 2 (hybrid)";
  if (first || second) return first ? "version 1" : "version 2";
  return "not mounted: limits cannot be set";
}

std::string has_file_system(const std::string& name) {
  const auto text = sys::read_file_if_present("/proc/filesystems");
  return text && text->find("\t" + name + "\n") != std::string::npos ? "yes" : "not loaded ('modprobe " + name + "')";
}

std::string user_namespaces() {
  const std::string impossible = why_impossible();
  if (!impossible.empty()) return "no";
  return sys::exists("/proc/self/ns/user") ? "yes" : "no";
}

}  // namespace

int version_command(const Words& words) {
  Options options("version", "", "Show the version, and what this machine offers.");
  if (!options.parse(words, Options::Stop::never)) return 0;
  options.require(0, 0, "", "version takes none");
  utsname names{};
  ::uname(&names);
  const container::Paths paths = container::default_paths();
  print("drydock           " DRYDOCK_VERSION "\n");
  print("kernel            " + std::string(names.release) + " " + names.machine + "\n");
  print("cgroups           " + cgroup_words() + "\n");
  print("overlay           " + has_file_system("overlay") + "\n");
  print("user namespaces   " + user_namespaces() + "\n");
  print("images and layers " + paths.data + "\n");
  print("state             " + paths.state + "\n");
  print("monitor           " + paths.monitor + (sys::exists(paths.monitor) ? "" : " (missing)") + "\n");
  return 0;
}

}  // namespace drydock::cli
