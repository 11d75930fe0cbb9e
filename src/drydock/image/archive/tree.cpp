#include <drydock/image/archive/tree.hpp>

#include <dirent.h>
#include <fcntl.h>
#include <sys/syscall.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <vector>

#include <drydock/kernel/error.hpp>
#include <drydock/kernel/raw.hpp>
#include <drydock/kernel/sys.hpp>

namespace drydock::image {

namespace {

[[noreturn]] void fail(const char* call, const std::string& name, long result) {
  throw Error::from_errno(call, "\"" + name + "\"", raw::error_of(result));
}

std::vector<std::string> names_in(const Fd& dir) {
  std::vector<std::string> names;
  alignas(dirent64) std::array<char, 32768> buffer;
  while (true) {
    const long count = raw::call(SYS_getdents64, dir.get(), buffer.data(), buffer.size());
    if (raw::failed(count)) fail("getdents64", "directory", count);
    if (count == 0) return names;
    for (long at = 0; at < count;) {
      const auto* entry = reinterpret_cast<const dirent64*>(buffer.data() + at);
      if (std::strcmp(entry->d_name, ".") != 0 && std::strcmp(entry->d_name, "..") != 0) names.emplace_back(entry->d_name);
      at += entry->d_reclen;
    }
  }
}

// Hostile layers may have directories nested thousands deep: one descriptor per level would run out, so levels are
// reopened by ".." (nobody else works in a tree that is being removed).
struct Level {
  std::vector<std::string> names;
  std::string own_name;
};

Fd open_directory_at(const Fd& dir, const std::string& name) {
  const long opened = raw::call(SYS_openat, dir.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (!raw::failed(opened)) return Fd(static_cast<int>(opened));
  if (opened != -EACCES) fail("openat", name, opened);
  raw::call(SYS_fchmodat, dir.get(), name.c_str(), 0700);
  return sys::openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
}

// False when `name` is a directory that may have entries.
bool unlinked(const Fd& dir, const std::string& name) {
  long removed = raw::call(SYS_unlinkat, dir.get(), name.c_str(), 0);
  if (removed == -EACCES && dir) {  // a directory without write permission, in a rootless store
    raw::call(SYS_fchmod, dir.get(), 0700);
    removed = raw::call(SYS_unlinkat, dir.get(), name.c_str(), 0);
  }
  if (!raw::failed(removed) || removed == -ENOENT) return true;
  if (removed != -EISDIR && removed != -EPERM) fail("unlink", name, removed);
  return false;
}

}  // namespace

struct stat stat_at(const Fd& dir, const std::string& name) {
  const auto status = stat_at_if_present(dir, name);
  if (!status) fail("newfstatat", name, -ENOENT);
  return *status;
}

std::optional<struct stat> stat_at_if_present(const Fd& dir, const std::string& name) {
  struct stat status;
  const long result = raw::call(SYS_newfstatat, dir.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW);
  if (result == -ENOENT) return std::nullopt;
  if (raw::failed(result)) fail("newfstatat", name, result);
  return status;
}

void remove_at(const Fd& dir, const std::string& name) {
  if (unlinked(dir, name)) return;
  Fd here = open_directory_at(dir, name);
  std::vector<Level> path{{names_in(here), name}};
  while (true) {
    Level& level = path.back();
    if (level.names.empty()) {
      const std::string own = level.own_name;
      path.pop_back();
      if (!path.empty()) here = sys::openat(here, "..", O_RDONLY | O_DIRECTORY);
      const long result = raw::call(SYS_unlinkat, path.empty() ? dir.get() : here.get(), own.c_str(), AT_REMOVEDIR);
      if (raw::failed(result)) fail("rmdir", own, result);
      if (path.empty()) return;
      continue;
    }
    const std::string child = level.names.back();
    level.names.pop_back();
    if (unlinked(here, child)) continue;
    here = open_directory_at(here, child);
    path.push_back({names_in(here), child});
  }
}

void remove_directory(const std::string& path) {
  if (sys::exists(path)) remove_at(Fd{AT_FDCWD}, path);
}

bool move_directory(const std::string& from, const std::string& to) {
  const auto move = [&] { return raw::call(SYS_renameat2, AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), 0); };
  long result = move();
  if (result == -EACCES) {
    const mode_t mode = stat_at(Fd{AT_FDCWD}, from).st_mode & 07777;
    raw::call(SYS_fchmodat, AT_FDCWD, from.c_str(), mode | 0700);
    result = move();
    raw::call(SYS_fchmodat, AT_FDCWD, raw::failed(result) ? from.c_str() : to.c_str(), mode);
  }
  if (result == -EEXIST || result == -ENOTEMPTY) return false;
  if (raw::failed(result)) throw Error::from_errno("rename", "\"" + from + "\", \"" + to + "\"", raw::error_of(result));
  return true;
}

}  // namespace drydock::image
