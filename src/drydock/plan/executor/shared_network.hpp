// The pool file of one host network, and its last user: what the library and the monitor must agree on.
//
// The file is a header and fixed-size records, one per leased address. Nothing is ever "released": a lease is alive while its
// link exists, or while the container has not ended and either the process that leased or the ledger is there. Bridge, NAT
// table and ip_forward belong to all leases together; whoever ends last (or the next command) takes them down.
// Two locks on the same file: flock(2) guards its contents for microseconds; an OFD lock (fcntl(2)) on byte 0 is the
// janitor's chair, held while somebody waits for the last links to vanish. Both die with their holder, so a killed janitor blocks
// nobody.
//
// Example: release_network("/run/drydock/net-1/addresses", "/run/drydock/net-1/ledgers", teardown, size, 2000);
// Source: flock(2), F_OFD_SETLK in fcntl(2), netdevice(7).
#pragma once

#include <cstddef>
#include <cstdint>

namespace drydock::plan::executor {

inline constexpr char pool_magic[8] = {'d', 'r', 'y', 'd', 'o', 'c', 'k', '1'};

struct PoolHeader {
  char magic[8];
  std::uint32_t subnet;            // host byte order
  std::uint32_t prefix;            // bits
  std::uint32_t cursor;            // host part of the address to try next
  std::uint32_t sweep;             // record to look at next for a dead lease
  std::int32_t ip_forward_before;  // 0 or 1 as it was before the first lease, -1 not known
  char bridge[16];
  std::uint8_t bridge_mac[6];  // the mark by which our bridge is known: nobody else's is ever deleted
  std::uint8_t reserved[78];
};
static_assert(sizeof(PoolHeader) == 128);

enum LeaseState : std::uint32_t { lease_free = 0, lease_held = 1, lease_ended = 2 };

// 128 bytes at offset 128 * (n + 1): no record crosses a page, so a write is whole even when its writer is killed.
struct LeaseRecord {
  std::uint32_t state;    // LeaseState; ended: only the link still keeps the address
  std::uint32_t address;  // host byte order
  std::int32_t pid;       // the process that leased
  std::uint32_t reserved0;
  std::uint64_t start_time;  // of that process, clock ticks since boot
  char link[16];             // the host's end of the veth pair
  char id[72];               // the container
  std::uint8_t reserved[16];
};
static_assert(sizeof(LeaseRecord) == 128);

// dying: ended, its link is still there; leased: by a process that has not started its container yet (or was killed before).
enum class Liveness { free, dying, leased, running };

// `socket` is any socket of the host's network namespace.
Liveness liveness(const LeaseRecord& record, const char* ledgers_dir, int socket) noexcept;

// True when a process with this pid and start time lives (a zombie does not). Reads /proc.
bool process_lives(int pid, std::uint64_t start_time) noexcept;

// Opens and flocks the pool file; with `create` an empty one is made. A descriptor, or -errno (-ENOENT: there is no pool).
// The file may be removed by its holder, therefore a lock won on an unlinked file is given up and tried again.
long lock_pool(const char* pool_path, bool create) noexcept;

// The teardown: blobs of {protocol, length} and `length` bytes, padded to 4. Protocol 0xffffffff carries the id of the
// container whose monitor calls (no terminating NUL): its process and ledger no longer keep the lease alive.
struct TeardownBlob {
  std::uint32_t protocol;
  std::uint32_t length;
};
inline constexpr std::uint32_t teardown_own_id = 0xffffffff;

// Called by a monitor at its very end, when its ledger is gone and its descriptors are closed. Returns at once when another
// container runs or another janitor waits. Else waits until no link has been there for `linger_ms`, sends the teardown, restores
// ip_forward, removes the pool file. Gives up after `patience_ms` (0: looks once): the next command does the rest.
// 0, 1 when something was torn down, or -errno of the first message that failed (the file is kept then).
long release_network(const char* pool_path, const char* ledgers_dir, const void* teardown, std::size_t length, int linger_ms,
                     int patience_ms) noexcept;
// The patience of a janitor: longer than the kernel takes for any link.
inline constexpr int janitor_patience_ms = 30'000;

// The same in two halves, for a monitor whose caller shall not wait for the second. sit_down: 1 when the second is to follow,
// 0 when somebody else sits there or there is nothing to take down, or -errno.
struct Janitor {
  long pool = -1, socket = -1;  // descriptors; the first holds lock and chair
};
long sit_down(Janitor& janitor, const char* pool_path, const void* teardown, std::size_t length) noexcept;
long keep_watch(const Janitor& janitor, const char* pool_path, const char* ledgers_dir, const void* teardown, std::size_t length,
                int linger_ms, int patience_ms) noexcept;

}  // namespace drydock::plan::executor
