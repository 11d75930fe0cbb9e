// The directories of a launch, and taking them away.
#include <drydock/container/directories.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include <drydock/kernel/error.hpp>
#include <drydock/kernel/remedies.hpp>
#include <drydock/kernel/sys.hpp>
#include <drydock/network/pool.hpp>

namespace drydock::container {

std::string host_directory(const Paths& paths) {
  return paths.state + "/" + network::host_key();
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

constexpr std::array<const char*, 3> parts_of_host{"/ledgers", "/names", "/root"};
constexpr int most_tries = 100;  // resets that were in the way, one after the other
constexpr int directory_flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;

// What was opened may have been removed before it was locked, and another made under its name.
bool is_still(const Fd& directory, const std::string& path) {
  const auto named = sys::lstat(path);
  const struct stat opened = sys::fstat(directory);
  return named && named->st_ino == opened.st_ino && named->st_dev == opened.st_dev;
}

// Empty when a reset took the directory away under our hands; the `last` time a path that leads nowhere is an error.
Fd claim(const std::string& host, bool last) try {
  make_directory(host, 0700, remedies::other_state);
  Fd directory = sys::open(host, directory_flags);
  sys::flock(directory, LOCK_SH);
  return is_still(directory, host) ? std::move(directory) : Fd();
} catch (const Error& error) {
  if (error.code() != ENOENT || last) throw;
  return {};
}

// Throws Error with ENOTEMPTY where something is in use.
bool remove_directory(const std::string& path) {
  if (!sys::exists(path)) return false;
  sys::rmdir(path);
  return true;
}

bool remove_if_idle(const std::string& host) try {
  const Fd directory = sys::open(host, directory_flags);
  if (!sys::try_lock(directory) || !is_still(directory, host) || sys::exists(host + "/addresses")) return false;
  for (const char* part : parts_of_host) remove_directory(host + part);
  return remove_directory(host);
} catch (const Error& error) {
  if (error.code() != ENOENT && error.code() != ENOTEMPTY && error.code() != EBUSY) throw;
  return false;
}

}  // namespace

Fd prepare_directories(const Paths& paths) {
  make_directory(paths.data + "/containers", 0711, remedies::other_data);
  make_directory(paths.data + "/volumes", 0711, remedies::other_data);
  // What a container writes, a program with a set-user-id bit for example, is for no other user of this machine.
  for (const char* name : {"/upper", "/work"}) make_directory(paths.data + name, 0700, remedies::other_data);
  const std::string host = host_directory(paths);
  check_owner(paths.state.substr(0, std::max<std::size_t>(paths.state.rfind('/'), 1)), true);
  check_owner(paths.state, false);
  Fd claimed;
  for (int tries = most_tries; !claimed; --tries) claimed = claim(host, tries <= 1);
  for (const char* part : parts_of_host) make_directory(host + part, 0700, remedies::other_state);
  return claimed;
}

bool remove_idle_directories(const Paths& paths) {
  if (!sys::exists(paths.state)) return false;
  bool removed = false;
  for (const std::string& name : sys::list_directory(paths.state))
    if (name.starts_with("net-")) removed = remove_if_idle(paths.state + "/" + name) || removed;
  if (sys::list_directory(paths.state).empty()) removed = remove_directory(paths.state) || removed;
  return removed;
}

}  // namespace drydock::container
