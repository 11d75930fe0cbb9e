#include "container/look.hpp"

#include <fcntl.h>

#include <algorithm>
#include <sstream>
#include <stdexcept>

#include <drydock/cgroups/layout.hpp>
#include <drydock/kernel/sys.hpp>

namespace drydock::test {

namespace {

std::string proc(pid_t pid) {
  return pid == 0 ? "/proc/self" : "/proc/" + std::to_string(pid);
}

Words command_line(Words words, const Words& options, const std::string& script) {
  words.insert(words.end(), options.begin(), options.end());
  words.insert(words.end(), {"busybox", "sh", "-c", script});
  return words;
}

// The path in the line "4:memory:/path" of /proc/PID/cgroup; `controller` empty for cgroup2.
std::string path_of_group(pid_t pid, const std::string& controller) {
  std::istringstream lines(sys::read_file(proc(pid) + "/cgroup"));
  for (std::string line; std::getline(lines, line);) {
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    const std::string names = "," + line.substr(first + 1, second - first - 1) + ",";
    if (names == ",," ? controller.empty() : names.find("," + controller + ",") != std::string::npos) return line.substr(second + 1);
  }
  return {};
}

}  // namespace

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

Result in_container(Host& host, const std::string& script, const Words& options) {
  return host.drydock(command_line({"run", "--rm"}, options, script));
}

container::Record detached(Host& host, const std::string& name, const std::string& script, const Words& options) {
  const Result run = host.drydock(command_line({"run", "-d", "--name", name}, options, script));
  if (run.code != 0) throw std::runtime_error("container " + name + " did not start: " + run.seen());
  return host.record(name);
}

std::string scratch_file(const Host& host, const std::string& name, const std::string& content, unsigned mode) {
  const std::string path = host.scratch() + "/" + name;
  const Fd file = sys::open(path, O_WRONLY | O_CREAT | O_EXCL, mode);
  sys::write_all(file, content);
  return path;
}

std::string namespace_of(pid_t pid, const std::string& kind) {
  return sys::readlink(proc(pid) + "/ns/" + kind);
}

double cpu_seconds(pid_t pid) {
  return static_cast<double>(std::stoull(sys::read_file(proc(pid) + "/schedstat"))) / 1e9;
}

std::string limit_file(pid_t pid, const std::string& controller, const std::string& v1_file, const std::string& v2_file) {
  const cgroups::Layout layout = cgroups::read_layout();
  const cgroups::Place* place = layout.find(controller);
  if (place == nullptr) return {};
  const bool v1 = place->version == cgroups::Version::v1;
  const std::string group = path_of_group(pid, v1 ? controller : "");
  return place->mount + (v1 ? group : group.substr(0, group.rfind("/payload"))) + "/" + (v1 ? v1_file : v2_file);
}

bool one_message(const Result& result, int code) {
  return result.code == code && result.out.empty() && result.err.starts_with("drydock: ") && result.err.ends_with('\n') &&
         std::count(result.err.begin(), result.err.end(), '\n') == 1;
}

}  // namespace drydock::test
