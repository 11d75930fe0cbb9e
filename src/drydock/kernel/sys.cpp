#include <drydock/kernel/sys.hpp>

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include <drydock/kernel/error.hpp>
#include <drydock/kernel/process_stat.hpp>
#include <drydock/kernel/raw.hpp>
#include <drydock/kernel/symbols.hpp>

namespace drydock {

void Fd::reset() noexcept {
  if (number_ >= 0) (void)raw::call(SYS_close, std::exchange(number_, -1));
}

namespace sys {

namespace {

std::string quoted(std::string_view text) {
  return "\"" + std::string(text) + "\"";
}

[[noreturn]] void fail(const char* name, std::string arguments, long result) {
  throw Error::from_errno(name, std::move(arguments), raw::error_of(result));
}

// A call that may be restarted after a signal.
template <typename... Args>
long restart(long number, Args... args) {
  long result;
  do result = raw::call(number, args...);
  while (result == -EINTR);
  return result;
}

int or_cwd(const Fd& dir) {
  return dir ? dir.get() : AT_FDCWD;
}

}  // namespace

Fd open(const std::string& path, int flags, mode_t mode) {
  return openat(Fd{}, path, flags, mode);
}

Fd openat(const Fd& dir, const std::string& path, int flags, mode_t mode) {
  const long result = restart(SYS_openat, or_cwd(dir), path.c_str(), flags | O_CLOEXEC, mode);
  if (raw::failed(result)) fail("openat", quoted(path) + ", " + symbols::open_flags(static_cast<std::uint64_t>(flags)), result);
  return Fd(static_cast<int>(result));
}

Fd openat2(const Fd& dir, const std::string& path, std::uint64_t flags, mode_t mode, std::uint64_t resolve) {
  open_how how{};
  how.flags = flags | O_CLOEXEC;
  how.mode = mode;
  how.resolve = resolve;
  long result;
  int tries = 0;
  do result = raw::call(SYS_openat2, or_cwd(dir), path.c_str(), &how, sizeof how);
  while (result == -EINTR || (result == -EAGAIN && ++tries < 32));
  if (raw::failed(result))
    fail("openat2", quoted(path) + ", " + symbols::open_flags(flags) + ", " + symbols::resolve_flags(resolve), result);
  return Fd(static_cast<int>(result));
}

std::size_t read(const Fd& fd, void* buffer, std::size_t size) {
  const long result = restart(SYS_read, fd.get(), buffer, size);
  if (raw::failed(result)) fail("read", "fd " + std::to_string(fd.get()), result);
  return static_cast<std::size_t>(result);
}

void lseek(const Fd& fd, off_t offset) {
  const long result = restart(SYS_lseek, fd.get(), offset, SEEK_SET);
  if (raw::failed(result)) fail("lseek", "fd " + std::to_string(fd.get()) + ", " + std::to_string(offset) + ", SEEK_SET", result);
}

void write_all(const Fd& fd, std::string_view data) {
  while (!data.empty()) {
    const long result = restart(SYS_write, fd.get(), data.data(), data.size());
    if (raw::failed(result)) fail("write", "fd " + std::to_string(fd.get()) + ", " + std::to_string(data.size()) + " bytes", result);
    data.remove_prefix(static_cast<std::size_t>(result));
  }
}

struct stat fstat(const Fd& fd) {
  struct stat status;
  if (::fstat(fd.get(), &status) != 0) fail("fstat", "fd " + std::to_string(fd.get()), -errno);
  return status;
}

std::optional<struct stat> lstat(const std::string& path) {
  struct stat status;
  if (::lstat(path.c_str(), &status) == 0) return status;
  if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
  fail("lstat", quoted(path), -errno);
}

void mkdir(const std::string& path, mode_t mode) {
  mkdirat(Fd{}, path, mode);
}

void mkdirat(const Fd& dir, const std::string& name, mode_t mode) {
  const long result = raw::call(SYS_mkdirat, or_cwd(dir), name.c_str(), mode);
  if (raw::failed(result)) fail("mkdir", quoted(name) + ", " + symbols::octal(mode), result);
}

void mkdirs(const std::string& path, mode_t mode) {
  if (const auto status = lstat(path); status && S_ISDIR(status->st_mode)) return;
  for (std::size_t slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
    const std::string part = path.substr(0, slash);
    const long result = raw::call(SYS_mkdirat, AT_FDCWD, part.c_str(), mode);
    if (raw::failed(result) && result != -EEXIST) fail("mkdir", quoted(part) + ", " + symbols::octal(mode), result);
    if (slash == std::string::npos) break;
  }
  if (const auto status = lstat(path); status && !S_ISDIR(status->st_mode) && !S_ISLNK(status->st_mode))
    fail("mkdir", quoted(path), -ENOTDIR);
}

void rename(const std::string& from, const std::string& to) {
  const long result = raw::call(SYS_renameat2, AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), 0);
  if (raw::failed(result)) fail("rename", quoted(from) + ", " + quoted(to), result);
}

void unlink(const std::string& path) {
  const long result = raw::call(SYS_unlinkat, AT_FDCWD, path.c_str(), 0);
  if (raw::failed(result)) fail("unlink", quoted(path), result);
}

bool unlink_if_present(const std::string& path) {
  const long result = raw::call(SYS_unlinkat, AT_FDCWD, path.c_str(), 0);
  if (result == -ENOENT) return false;
  if (raw::failed(result)) fail("unlink", quoted(path), result);
  return true;
}

void rmdir(const std::string& path) {
  const long result = raw::call(SYS_unlinkat, AT_FDCWD, path.c_str(), AT_REMOVEDIR);
  if (raw::failed(result)) fail("rmdir", quoted(path), result);
}

void symlink(const std::string& target, const std::string& path) {
  const long result = raw::call(SYS_symlinkat, target.c_str(), AT_FDCWD, path.c_str());
  if (raw::failed(result)) fail("symlink", quoted(target) + ", " + quoted(path), result);
}

std::string readlink(const std::string& path) {
  std::array<char, 4096> buffer;
  const long result = raw::call(SYS_readlinkat, AT_FDCWD, path.c_str(), buffer.data(), buffer.size());
  if (raw::failed(result)) fail("readlink", quoted(path), result);
  return {buffer.data(), static_cast<std::size_t>(result)};
}

namespace {

struct DirectoryCloser {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

std::vector<std::string> names_of(DIR* directory) {
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(directory)) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

void remove_below(const Fd& parent, const std::string& name, dev_t device) {
  const long removed = raw::call(SYS_unlinkat, or_cwd(parent), name.c_str(), 0);
  if (!raw::failed(removed) || removed == -ENOENT) return;
  if (removed != -EISDIR && removed != -EPERM) fail("unlink", quoted(name), removed);
  Fd dir = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (fstat(dir).st_dev != device) fail("remove_tree", quoted(name), -EXDEV);
  std::unique_ptr<DIR, DirectoryCloser> listing(::fdopendir(::dup(dir.get())));
  for (const std::string& child : names_of(listing.get())) remove_below(dir, child, device);
  const long result = raw::call(SYS_unlinkat, or_cwd(parent), name.c_str(), AT_REMOVEDIR);
  if (raw::failed(result)) fail("rmdir", quoted(name), result);
}

}  // namespace

void remove_tree(const std::string& path) {
  const auto status = lstat(path);
  if (status) remove_below(Fd{}, path, status->st_dev);
}

void ftruncate(const Fd& fd, std::uint64_t size) {
  const long result = restart(SYS_ftruncate, fd.get(), size);
  if (raw::failed(result)) fail("ftruncate", std::to_string(size) + " bytes", result);
}

void fsync(const Fd& fd) {
  const long result = restart(SYS_fsync, fd.get());
  if (raw::failed(result)) fail("fsync", "fd " + std::to_string(fd.get()), result);
}

void flock(const Fd& fd, int operation) {
  const long result = restart(SYS_flock, fd.get(), operation);
  if (raw::failed(result)) fail("flock", "fd " + std::to_string(fd.get()), result);
}

bool try_lock(const Fd& fd) {
  const long result = restart(SYS_flock, fd.get(), LOCK_EX | LOCK_NB);
  if (result == -EWOULDBLOCK) return false;
  if (raw::failed(result)) fail("flock", "fd " + std::to_string(fd.get()) + ", LOCK_EX|LOCK_NB", result);
  return true;
}

std::string read_all(const Fd& fd) {
  std::string text;
  std::array<char, 16384> buffer;
  while (const std::size_t count = read(fd, buffer.data(), buffer.size())) text.append(buffer.data(), count);
  return text;
}

std::string read_file(const std::string& path) {
  return read_all(open(path, O_RDONLY));
}

std::optional<std::string> read_file_if_present(const std::string& path) {
  const long result = restart(SYS_openat, AT_FDCWD, path.c_str(), O_RDONLY | O_CLOEXEC);
  if (result == -ENOENT || result == -ENOTDIR) return std::nullopt;
  if (raw::failed(result)) fail("openat", quoted(path) + ", O_RDONLY", result);
  return read_all(Fd(static_cast<int>(result)));
}

void write_file(const std::string& path, std::string_view data) {
  const Fd file = open(path, O_WRONLY);
  const long result = restart(SYS_write, file.get(), data.data(), data.size());
  if (raw::failed(result)) fail("write", quoted(path) + ", " + quoted(data), result);
}

void replace_file(const std::string& path, std::string_view data, mode_t mode) {
  const std::string temporary = path + "." + random_hex(8);
  try {
    const Fd file = open(temporary, O_WRONLY | O_CREAT | O_EXCL, mode);
    write_all(file, data);
    fsync(file);
    rename(temporary, path);
  } catch (...) {
    raw::call(SYS_unlinkat, AT_FDCWD, temporary.c_str(), 0);
    throw;
  }
}

std::vector<std::string> list_directory(const std::string& path) {
  std::unique_ptr<DIR, DirectoryCloser> listing(::opendir(path.c_str()));
  if (!listing) fail("opendir", quoted(path), -errno);
  return names_of(listing.get());
}

bool exists(const std::string& path) {
  return lstat(path).has_value();
}

Fd pidfd_open(pid_t pid) {
  const long result = raw::call(SYS_pidfd_open, pid, 0);
  if (raw::failed(result)) fail("pidfd_open", std::to_string(pid), result);
  return Fd(static_cast<int>(result));
}

bool pidfd_send_signal(const Fd& pidfd, int signal) {
  const long result = raw::call(SYS_pidfd_send_signal, pidfd.get(), signal, nullptr, 0);
  if (result == -ESRCH) return false;
  if (raw::failed(result)) fail("pidfd_send_signal", symbols::signal(signal), result);
  return true;
}

namespace {

// A file of a process that may end between open and read (ESRCH); empty then.
std::string read_process_file(pid_t pid, const char* name) {
  try {
    return read_file_if_present("/proc/" + std::to_string(pid) + "/" + name).value_or("");
  } catch (const Error& error) {
    if (error.code() != ESRCH) throw;
    return "";
  }
}

// Bit 9 of one of the two masks of pending signals.
bool sigkill_pending(const std::string& status, const char* key) {
  const std::size_t at = status.find(key);
  return at != std::string::npos && (std::stoull(status.substr(at + std::strlen(key), 17), nullptr, 16) & (1u << (SIGKILL - 1))) != 0;
}

}  // namespace

std::optional<std::uint64_t> start_time(pid_t pid) {
  const ProcessStat stat = parse_process_stat(read_process_file(pid, "stat"));
  if (!stat.lives()) return std::nullopt;
  return stat.start_time;
}

bool is_dying(pid_t pid) {
  if (parse_process_stat(read_process_file(pid, "stat")).exiting) return true;
  const std::string status = read_process_file(pid, "status");
  return status.empty() || sigkill_pending(status, "\nSigPnd:\t") || sigkill_pending(status, "\nShdPnd:\t");
}

pid_t getpid() {
  return static_cast<pid_t>(raw::call(SYS_getpid));
}

uid_t geteuid() {
  return static_cast<uid_t>(raw::call(SYS_geteuid));
}

Fd memfd_create(const std::string& name, unsigned flags) {
  const long result = raw::call(SYS_memfd_create, name.c_str(), flags | MFD_CLOEXEC);
  if (raw::failed(result)) fail("memfd_create", quoted(name), result);
  return Fd(static_cast<int>(result));
}

void* mmap_shared(const Fd& fd, std::size_t size, bool writable) {
  const long result = raw::call(SYS_mmap, nullptr, size, writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, fd.get(), 0);
  if (raw::failed(result)) fail("mmap", std::to_string(size) + " bytes, MAP_SHARED", result);
  return reinterpret_cast<void*>(result);
}

void munmap(void* address, std::size_t size) {
  raw::call(SYS_munmap, address, size);
}

namespace {

std::uint64_t clock_ns(clockid_t clock) {
  timespec now;
  ::clock_gettime(clock, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000u + static_cast<std::uint64_t>(now.tv_nsec);
}

}  // namespace

std::uint64_t monotonic_ns() {
  return clock_ns(CLOCK_MONOTONIC);
}

std::uint64_t realtime_ns() {
  return clock_ns(CLOCK_REALTIME);
}

std::string random_hex(unsigned digits) {
  std::string text;
  while (text.size() < digits) {
    std::array<unsigned char, 16> bytes;
    const long result = restart(SYS_getrandom, bytes.data(), bytes.size(), 0);
    if (raw::failed(result)) fail("getrandom", std::to_string(bytes.size()) + " bytes", result);
    for (const unsigned char byte : bytes) {
      text += "0123456789abcdef"[byte >> 4];
      text += "0123456789abcdef"[byte & 15];
    }
  }
  text.resize(digits);
  return text;
}

}  // namespace sys
}  // namespace drydock
