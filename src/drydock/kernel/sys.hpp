// System calls under their own names, throwing `Error` with the call and its printed arguments.
//
// Out-parameters become return values, flags print symbolically, EINTR is retried where the man page
// says that a retry is right (never for close). For code that runs between clone and exec use raw.hpp.
//
// Example: Fd file = sys::open("/etc/hostname", O_RDONLY);   // O_CLOEXEC is always added
// Source: section 2 of the manual, one page per function.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <drydock/kernel/fd.hpp>

namespace drydock::sys {

// --- files -----------------------------------------------------------------------------------
Fd open(const std::string& path, int flags, mode_t mode = 0);
Fd openat(const Fd& dir, const std::string& path, int flags, mode_t mode = 0);
// openat2(2), Linux >= 5.6. `resolve` is a set of RESOLVE_* flags; EAGAIN (a racing rename) is retried.
Fd openat2(const Fd& dir, const std::string& path, std::uint64_t flags, mode_t mode, std::uint64_t resolve);
std::size_t read(const Fd& fd, void* buffer, std::size_t size);
// From the beginning of the file.
void lseek(const Fd& fd, off_t offset);
// Writes all of `data`; a short write is continued.
void write_all(const Fd& fd, std::string_view data);
struct stat fstat(const Fd& fd);
// Empty when there is no such file (ENOENT, ENOTDIR); other errors throw. Does not follow a final symlink.
std::optional<struct stat> lstat(const std::string& path);
void mkdir(const std::string& path, mode_t mode);
// mkdir -p; existing directories are fine.
void mkdirs(const std::string& path, mode_t mode = 0755);
void mkdirat(const Fd& dir, const std::string& name, mode_t mode);
void rename(const std::string& from, const std::string& to);
void unlink(const std::string& path);
// False when it was not there.
bool unlink_if_present(const std::string& path);
void rmdir(const std::string& path);
void symlink(const std::string& target, const std::string& path);
std::string readlink(const std::string& path);
// Removes a tree without following links and without crossing into another file system; missing is fine.
void remove_tree(const std::string& path);
void ftruncate(const Fd& fd, std::uint64_t size);
void fsync(const Fd& fd);
// flock(2) LOCK_EX or LOCK_SH; waits. `try_lock` returns false when another holder has it.
void flock(const Fd& fd, int operation);
bool try_lock(const Fd& fd);

// --- whole small files (procfs, sysfs, cgroupfs, configuration) ---------------------------------
std::string read_file(const std::string& path);
std::optional<std::string> read_file_if_present(const std::string& path);
std::string read_all(const Fd& fd);
// One open, one write: what procfs, sysfs and cgroupfs need.
void write_file(const std::string& path, std::string_view data);
// Creates or replaces `path` by write to a temporary name, fsync and rename.
void replace_file(const std::string& path, std::string_view data, mode_t mode = 0644);
// Names in a directory without "." and "..", sorted.
std::vector<std::string> list_directory(const std::string& path);
bool exists(const std::string& path);

// --- processes -----------------------------------------------------------------------------------
// pidfd_open(2), Linux >= 5.3.
Fd pidfd_open(pid_t pid);
// False when the process is gone.
bool pidfd_send_signal(const Fd& pidfd, int signal);
// Start time of a process in clock ticks since boot, field 22 of proc_pid_stat(5); empty when there is no such process
// or only its zombie.
// pid + start time identify a process: a pid alone may have been reused.
std::optional<std::uint64_t> start_time(pid_t pid);
// True when it was killed or ends by itself: it still has a pid, and will run no more of its own code. PF_EXITING of
// proc_pid_stat(5), SIGKILL among SigPnd and ShdPnd of proc_pid_status(5).
bool is_dying(pid_t pid);
pid_t getpid();
uid_t geteuid();

// --- memory ---------------------------------------------------------------------------------------
Fd memfd_create(const std::string& name, unsigned flags);
void* mmap_shared(const Fd& fd, std::size_t size, bool writable);
void munmap(void* address, std::size_t size);

// --- time ------------------------------------------------------------------------------------------
std::uint64_t monotonic_ns();
std::uint64_t realtime_ns();

// 16 hexadecimal digits (64 bits) per word from getrandom(2): names that nobody can guess.
std::string random_hex(unsigned digits);

}  // namespace drydock::sys
