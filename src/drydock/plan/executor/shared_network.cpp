#include <drydock/plan/executor/shared_network.hpp>

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#include <drydock/kernel/process_stat.hpp>
#include <drydock/kernel/raw.hpp>
#include <drydock/plan/executor/netlink_io.hpp>
#include <drydock/plan/executor/text.hpp>

namespace drydock::plan::executor {

namespace {

constexpr int poll_interval_ms = 10;
constexpr std::size_t largest_message = 2048;
constexpr const char* ip_forward = "/proc/sys/net/ipv4/ip_forward";

long milliseconds() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1'000'000;
}

void close_fd(long fd) {
  (void)raw::call(SYS_close, fd);
}

long lock(long fd, int operation) {
  long result;
  do result = raw::call(SYS_flock, fd, operation);
  while (result == -EINTR);
  return result;
}

// The janitor's chair: an OFD lock on byte 0, which does not interfere with flock(2).
bool take_chair(long fd) {
  struct flock chair {};
  chair.l_type = F_WRLCK;
  chair.l_whence = SEEK_SET;
  chair.l_len = 1;
  return !raw::failed(raw::call(SYS_fcntl, fd, F_OFD_SETLK, &chair));
}

bool read_record(long fd, long number, LeaseRecord& record) {
  const long offset = static_cast<long>(sizeof(PoolHeader)) + number * static_cast<long>(sizeof record);
  return raw::call(SYS_pread64, fd, &record, sizeof record, offset) == static_cast<long>(sizeof record);
}

bool read_header(long fd, PoolHeader& header) {
  return raw::call(SYS_pread64, fd, &header, sizeof header, 0) == static_cast<long>(sizeof header) &&
         __builtin_memcmp(header.magic, pool_magic, sizeof pool_magic) == 0;
}

// The best of all leases: one that runs outweighs one that is leased, and that one that is dying.
Liveness pool_liveness(long fd, const char* ledgers_dir, int socket) {
  Liveness result = Liveness::free;
  LeaseRecord record;
  for (long number = 0; read_record(fd, number, record); ++number) {
    const Liveness one = liveness(record, ledgers_dir, socket);
    if (one == Liveness::running) return one;
    if (one > result) result = one;
  }
  return result;
}

void mark_ended(long fd, const char* id, std::size_t id_length) {
  LeaseRecord record;
  for (long number = 0; read_record(fd, number, record); ++number) {
    if (record.state != lease_held || !equal(id, id_length, record.id)) continue;
    record.state = lease_ended;
    const long offset = static_cast<long>(sizeof(PoolHeader)) + number * static_cast<long>(sizeof record);
    (void)raw::call(SYS_pwrite64, fd, &record, sizeof record, offset);
  }
}

// Calls `each(protocol, data, length)` for every blob until it returns something other than 0.
template <typename Each>
long for_each_blob(const void* teardown, std::size_t length, Each each) {
  const char* at = static_cast<const char*>(teardown);
  const char* end = at + length;
  while (static_cast<std::size_t>(end - at) >= sizeof(TeardownBlob)) {
    TeardownBlob blob;
    __builtin_memcpy(&blob, at, sizeof blob);
    at += sizeof blob;
    if (blob.length > static_cast<std::size_t>(end - at)) return -EINVAL;
    const long result = each(blob.protocol, at, blob.length);
    if (result != 0) return result;
    const std::size_t step = (blob.length + 3u) & ~std::size_t{3};
    at += step > static_cast<std::size_t>(end - at) ? static_cast<std::size_t>(end - at) : step;
  }
  return 0;
}

// Somebody else's bridge of the same name has another address, and survives.
bool bridge_is_ours(int socket, const PoolHeader& header) {
  ifreq request{};
  copy_text(request.ifr_name, sizeof request.ifr_name, header.bridge);
  if (raw::failed(raw::call(SYS_ioctl, socket, SIOCGIFHWADDR, &request))) return false;
  return __builtin_memcmp(request.ifr_hwaddr.sa_data, header.bridge_mac, sizeof header.bridge_mac) == 0;
}

bool already_gone(long result) {
  return result == -ENOENT || result == -ENODEV;
}

long send_blob(const PoolHeader& header, int socket, std::uint32_t protocol, const char* data, std::size_t size) {
  constexpr std::uint32_t route = 0;  // NETLINK_ROUTE
  if (protocol == teardown_own_id || (protocol == route && !bridge_is_ours(socket, header))) return 0;
  if (size > largest_message) return -EMSGSIZE;
  alignas(8) char message[largest_message];
  __builtin_memcpy(message, data, size);
  const long fd = netlink_socket(static_cast<int>(protocol));
  // What this kernel cannot have is not there either: no netfilter over netlink, or (EOPNOTSUPP) no nf_tables in it.
  if (fd == -EPROTONOSUPPORT) return 0;
  if (raw::failed(fd)) return fd;
  const long result = netlink_transaction(static_cast<int>(fd), message, size, nullptr, 0);
  close_fd(fd);
  return already_gone(result) || (protocol != route && result == -EOPNOTSUPP) ? 0 : result;
}

// With both locks held: everything that all containers shared goes. The file goes last, so that a kill on the way is repaired
// by whoever comes next.
long tear_down(long fd, const char* pool_path, int socket, const void* teardown, std::size_t length) {
  PoolHeader header;
  if (read_header(fd, header)) {
    const long result = for_each_blob(teardown, length, [&](std::uint32_t protocol, const char* data, std::size_t size) {
      return send_blob(header, socket, protocol, data, size);
    });
    if (result != 0) return result;
    if (header.ip_forward_before == 0) (void)write_small_file(AT_FDCWD, ip_forward, "0", 1);
  }
  const long result = raw::call(SYS_unlinkat, AT_FDCWD, pool_path, 0);
  return raw::failed(result) && result != -ENOENT ? result : 1;
}

// Marks the caller's own container as ended and sits down on the janitor's chair, both under the pool lock: a janitor that
// gets up because we still ran has done so before we look, so one of the two always stays. True: the chair is ours.
bool become_janitor(long fd, const void* teardown, std::size_t length) {
  (void)for_each_blob(teardown, length, [fd](std::uint32_t protocol, const char* data, std::size_t size) -> long {
    if (protocol == teardown_own_id) mark_ended(fd, data, size);
    return 0;
  });
  return take_chair(fd);
}

long wait_and_tear_down(long fd, const char* pool_path, const char* ledgers_dir, int socket, const void* teardown,
                        std::size_t length, int linger_ms, int patience_ms) {
  const long begin = milliseconds();
  long idle_since = -1;
  for (;;) {
    const Liveness state = pool_liveness(fd, ledgers_dir, socket);
    const long now = milliseconds();
    if (state == Liveness::running) return 0;
    // A lease alone may be followed by a container or by nothing: whoever goes now could be the last who looked.
    if (state == Liveness::dying || state == Liveness::leased)
      idle_since = -1;
    else if (idle_since < 0)
      idle_since = now;
    if (idle_since >= 0 && now - idle_since >= linger_ms) return tear_down(fd, pool_path, socket, teardown, length);
    if (now - begin >= patience_ms) return 0;
    (void)lock(fd, LOCK_UN);
    const timespec pause{0, poll_interval_ms * 1'000'000L};
    (void)raw::call(SYS_nanosleep, &pause, nullptr);
    if (raw::failed(lock(fd, LOCK_EX))) return 0;
  }
}

}  // namespace

bool process_lives(int pid, std::uint64_t start_time) noexcept {
  char path[32], text[1024];
  Line(path, sizeof path).put("/proc/").put_number(pid).put("/stat");
  const long size = read_small_file(path, text, sizeof text);
  const ProcessStat stat = parse_process_stat({text, static_cast<std::size_t>(size > 0 ? size : 0)});
  return stat.lives() && stat.start_time == start_time;
}

Liveness liveness(const LeaseRecord& record, const char* ledgers_dir, int socket) noexcept {
  if (record.state == lease_free) return Liveness::free;
  if (record.state == lease_held) {
    char path[512];
    Line line(path, sizeof path);
    line.put(ledgers_dir).put("/").put(record.id);
    // Any other answer than "no such file" counts as "there": an address given twice is worse than one kept too long.
    if (line.overflowed() || raw::call(SYS_faccessat, AT_FDCWD, path, 0) != -ENOENT) return Liveness::running;
    if (process_lives(record.pid, record.start_time)) return Liveness::leased;
  }
  return link_present(socket, record.link) == 0 ? Liveness::free : Liveness::dying;
}

long lock_pool(const char* pool_path, bool create) noexcept {
  for (;;) {
    const long fd = raw::call(SYS_openat, AT_FDCWD, pool_path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | (create ? O_CREAT : 0), 0600);
    if (raw::failed(fd)) return fd;
    struct stat status;
    long result = lock(fd, LOCK_EX);
    if (!raw::failed(result) && ::fstat(static_cast<int>(fd), &status) == 0 && status.st_nlink != 0) return fd;
    close_fd(fd);
    if (raw::failed(result)) return result;
  }
}

long sit_down(Janitor& janitor, const char* pool_path, const void* teardown, std::size_t length) noexcept {
  janitor.pool = lock_pool(pool_path, false);
  if (raw::failed(janitor.pool)) return janitor.pool == -ENOENT ? 0 : janitor.pool;
  long result = 0;
  if (become_janitor(janitor.pool, teardown, length)) {
    janitor.socket = result = raw::call(SYS_socket, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (!raw::failed(result)) return 1;
  }
  close_fd(janitor.pool);
  return result;
}

long keep_watch(const Janitor& janitor, const char* pool_path, const char* ledgers_dir, const void* teardown, std::size_t length,
                int linger_ms, int patience_ms) noexcept {
  const long result = wait_and_tear_down(janitor.pool, pool_path, ledgers_dir, static_cast<int>(janitor.socket), teardown, length,
                                         linger_ms, patience_ms);
  close_fd(janitor.socket);
  close_fd(janitor.pool);  // gives up chair and lock together
  return result;
}

long release_network(const char* pool_path, const char* ledgers_dir, const void* teardown, std::size_t length, int linger_ms,
                     int patience_ms) noexcept {
  Janitor janitor;
  const long result = sit_down(janitor, pool_path, teardown, length);
  return result == 1 ? keep_watch(janitor, pool_path, ledgers_dir, teardown, length, linger_ms, patience_ms) : result;
}

}  // namespace drydock::plan::executor
