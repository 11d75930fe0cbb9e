#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <drydock/kernel/raw.hpp>
#include <drydock/plan/executor/ops.hpp>
#include <drydock/plan/executor/text.hpp>

namespace drydock::plan::executor {

namespace {

long open_below(int root, const char* path, std::uint64_t flags) {
  open_how how{};
  how.flags = flags | O_CLOEXEC;
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  long result;
  int tries = 0;
  // EAGAIN: something was renamed while the kernel walked; openat2(2) asks to try again.
  do result = raw::call(SYS_openat2, root, path, &how, sizeof how);
  while (result == -EINTR || (result == -EAGAIN && ++tries < 64));
  return result;
}

// The child `name` of `parent`, made when it is missing. Links are resolved inside the root by open_below, never here.
long make_component(int parent, const char* name, long mode, bool as_file) {
  if (!as_file) return raw::call(SYS_mkdirat, parent, name, mode);
  const long fd = raw::call(SYS_openat, parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
  if (raw::failed(fd)) return fd;
  raw::call(SYS_close, fd);
  return 0;
}

}  // namespace

long op_open_in_root(Context& context, const wire::WireCall& call) {
  return open_below(static_cast<int>(number(context, call, 0)), text(context, call, 1), static_cast<std::uint64_t>(number(context, call, 2)));
}

// CVE-2024-45310: mkdir -p by path string follows a link that the image planted. Each prefix is opened inside the root, and
// only its missing child is created, by name, below the descriptor.
long op_mkdirs_in_root(Context& context, const wire::WireCall& call) {
  const int root = static_cast<int>(number(context, call, 0));
  const char* path = text(context, call, 1);
  const std::size_t length = text_length(context, call, 1);
  const long mode = number(context, call, 2);
  const bool last_is_file = number(context, call, 3) != 0;
  const long whole = open_below(root, path, O_PATH);
  if (whole != -ENOENT) return whole;
  char prefix[4096];
  if (length >= sizeof prefix) return -ENAMETOOLONG;
  long parent = open_below(root, "/", O_PATH | O_DIRECTORY);
  for (std::size_t at = 0; at < length && !raw::failed(parent);) {
    while (at < length && path[at] == '/') ++at;
    std::size_t end = at;
    while (end < length && path[end] != '/') ++end;
    if (end == at) break;
    char name[256];
    if (end - at >= sizeof name) return -ENAMETOOLONG;
    Line(name, sizeof name).put(path + at, end - at);
    Line(prefix, sizeof prefix).put(path, end);
    long next = open_below(root, prefix, O_PATH);
    if (next == -ENOENT) {
      const bool last = end == length;
      const long made = equal(name, "..") || equal(name, ".") ? -EINVAL : make_component(static_cast<int>(parent), name, mode, last && last_is_file);
      if (raw::failed(made) && made != -EEXIST) next = made;
      else next = open_below(root, prefix, O_PATH);
    }
    raw::call(SYS_close, parent);
    parent = next;
    at = end;
  }
  return parent;
}

long op_create_file(int dir, const char* path, const char* data, std::size_t size, int mode) {
  const long fd = raw::call(SYS_openat, dir, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
  if (raw::failed(fd)) return fd;
  long result = 0;
  while (size > 0 && !raw::failed(result)) {
    result = raw::call(SYS_write, fd, data, size);
    if (result == -EINTR) result = 0;
    if (raw::failed(result)) break;
    data += result;
    size -= static_cast<std::size_t>(result);
  }
  raw::call(SYS_close, fd);
  if (raw::failed(result)) raw::call(SYS_unlinkat, dir, path, 0);  // a half-written file is not left behind
  return raw::failed(result) ? result : 0;
}

// CVE-2024-21626: a working directory outside the root prints as "(unreachable)...".
long op_check_cwd() {
  char path[4096];
  const long size = raw::call(SYS_getcwd, path, sizeof path);
  if (raw::failed(size)) return size;
  return path[0] == '/' ? 0 : -EXDEV;
}

long op_pipe(long* second) {
  int ends[2];
  const long result = raw::call(SYS_pipe2, ends, O_CLOEXEC);
  if (raw::failed(result)) return result;
  *second = ends[1];
  return ends[0];
}

namespace {

struct LinuxDirent {
  std::uint64_t inode;
  std::int64_t offset;
  unsigned short length;
  unsigned char type;
  char name[1];
};

long remove_directory(int parent, const char* name, dev_t device, int depth);

constexpr unsigned char type_directory = 4;  // DT_DIR

long remove_entry(int parent, const char* name, unsigned char type, dev_t device, int depth) {
  if (type == type_directory) return remove_directory(parent, name, device, depth);
  const long result = raw::call(SYS_unlinkat, parent, name, 0);
  if (!raw::failed(result) || result == -ENOENT) return 0;
  if (result != -EISDIR && result != -EPERM) return result;
  return remove_directory(parent, name, device, depth);
}

// Removes what one listing of `fd` shows: a removal may move the offsets of what comes behind.
long remove_listed(int fd, dev_t device, int depth) {
  alignas(LinuxDirent) char buffer[4096];
  raw::call(SYS_lseek, fd, 0, 0);
  const long size = raw::call(SYS_getdents64, fd, buffer, sizeof buffer);
  if (raw::failed(size)) return size;
  for (long at = 0; at < size;) {
    const LinuxDirent* entry = reinterpret_cast<const LinuxDirent*>(buffer + at);
    at += entry->length;
    if (equal(entry->name, ".") || equal(entry->name, "..")) continue;
    if (const long result = remove_entry(fd, entry->name, entry->type, device, depth + 1); raw::failed(result)) return result;
  }
  return 0;
}

bool has_entries(long result) {
  return result == -ENOTEMPTY || result == -EEXIST;
}

// Without root a directory's mode counts: overlay leaves work/work with none at all, and programs may leave others.
long open_to_empty(int parent, const char* name) {
  const long fd = raw::call(SYS_openat, parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd != -EACCES || raw::failed(raw::call(SYS_fchmodat, parent, name, 0700))) return fd;
  return raw::call(SYS_openat, parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

long remove_directory(int parent, const char* name, dev_t device, int depth) {
  if (depth > 200) return -ELOOP;
  long removed = raw::call(SYS_unlinkat, parent, name, AT_REMOVEDIR);  // most directories are empty
  if (!raw::failed(removed) || removed == -ENOENT) return 0;
  if (!has_entries(removed)) return removed;
  const long fd = open_to_empty(parent, name);
  if (raw::failed(fd)) return fd;
  struct stat status;
  // Something that is mounted here is not ours to empty.
  long result = ::fstat(static_cast<int>(fd), &status) == 0 && status.st_dev == device ? 0 : -EXDEV;
  if ((status.st_mode & 0300) != 0300) raw::call(SYS_fchmod, fd, 0700);
  for (int rounds = 0; rounds < 100000 && !raw::failed(result) && has_entries(removed); ++rounds) {
    result = remove_listed(static_cast<int>(fd), device, depth);
    if (!raw::failed(result)) removed = raw::call(SYS_unlinkat, parent, name, AT_REMOVEDIR);
  }
  raw::call(SYS_close, fd);
  if (raw::failed(result)) return result;
  return raw::failed(removed) && removed != -ENOENT ? removed : 0;
}

}  // namespace

long op_remove_tree(const char* path) {
  struct stat status;
  if (::lstat(path, &status) != 0) return 0;  // missing is what we want
  return remove_entry(AT_FDCWD, path, S_ISDIR(status.st_mode) ? type_directory : 0, status.st_dev, 0);
}

}  // namespace drydock::plan::executor
