// Where things are on the disk.
#include <unistd.h>

#include <cstdlib>

#include <drydock/container/container.hpp>
#include <drydock/kernel/sys.hpp>

namespace drydock::container {

namespace {

std::string environment_or(const char* name, const std::string& otherwise) {
  const char* value = ::getenv(name);
  return value != nullptr && *value != '\0' ? value : otherwise;
}

// Beside the program, or where an installation puts it.
std::string find_monitor() {
  const std::string self = sys::readlink("/proc/self/exe");
  const std::string beside = self.substr(0, self.rfind('/'));
  // A directory that is closed to this user has nothing for it.
  for (const std::string& candidate : {beside + "/drydock-monitor", beside + "/../libexec/drydock/drydock-monitor"})
    if (::access(candidate.c_str(), F_OK) == 0) return candidate;
  return beside + "/drydock-monitor";
}

}  // namespace

Paths default_paths() {
  const bool root = sys::geteuid() == 0;
  const std::string home = environment_or("HOME", "/");
  const std::string runtime = environment_or("XDG_RUNTIME_DIR", "/tmp/drydock-" + std::to_string(sys::geteuid()));
  Paths paths;
  paths.data = environment_or("DRYDOCK_ROOT", root ? "/var/lib/drydock" : environment_or("XDG_DATA_HOME", home + "/.local/share") + "/drydock");
  paths.state = environment_or("DRYDOCK_STATE", root ? "/run/drydock" : runtime + "/drydock");
  paths.monitor = environment_or("DRYDOCK_MONITOR", find_monitor());
  return paths;
}

}  // namespace drydock::container
