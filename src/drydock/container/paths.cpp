// Where things are on the disk, and making the directories of a first launch.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include <drydock/container/engine.hpp>
#include <drydock/container/host.hpp>
#include <drydock/kernel/error.hpp>
#include <drydock/kernel/remedies.hpp>
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

namespace {

void make_directory(const std::string& path, mode_t mode, const char* remedy) {
  try {
    sys::mkdirs(path, mode);
  } catch (const Error& error) {
    if (error.code() == ENOSPC) throw;
    Error::Parts parts = error.parts();
    parts.remedy = remedy;
    throw Error(std::move(parts));
  }
}

// Whoever else may write there could put a ledger of his own making in front of us: the fallback below /tmp has a name that
// everybody can guess.
void check_owner(const std::string& path, bool shared_if_sticky) {
  const auto status = sys::lstat(path);
  if (!status) return;
  const bool trusted = status->st_uid == 0 || status->st_uid == sys::geteuid();
  const bool open = (status->st_mode & (S_IWGRP | S_IWOTH)) != 0 && !(shared_if_sticky && (status->st_mode & S_ISVTX) != 0);
  if (S_ISDIR(status->st_mode) && trusted && !open) return;
  throw Error::refused("state directory '" + path + "'",
                       S_ISDIR(status->st_mode) ? "it belongs to another user (uid " + std::to_string(status->st_uid) + ") or others may write there" : "it is no directory",
                       "look who made it, or name another place: drydock --state DIR ...");
}

}  // namespace

void prepare_directories(const Paths& paths) {
  make_directory(paths.data + "/containers", 0711, remedies::other_data);
  make_directory(paths.data + "/volumes", 0711, remedies::other_data);
  // What a container writes, a program with a set-user-id bit for example, is for no other user of this machine.
  for (const char* name : {"/upper", "/work"}) make_directory(paths.data + name, 0700, remedies::other_data);
  const std::string host = host_directory(paths);
  check_owner(paths.state.substr(0, std::max<std::size_t>(paths.state.rfind('/'), 1)), true);
  check_owner(paths.state, false);
  for (const char* name : {"/ledgers", "/names", "/root"}) make_directory(host + name, 0700, remedies::other_state);
}

}  // namespace drydock::container
