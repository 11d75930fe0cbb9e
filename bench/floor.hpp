// The floor: what a container costs when nothing but the kernel is paid.
//
// bench-floor makes the system calls that a container like `drydock run --rm -m 64M --cpus 1 --pids-limit 100 busybox true`
// needs, and no other: no image store, no configuration, no record of anything, every failure ends it. It is a yardstick, not a
// runtime.
//
// Example: bench-floor bridge drydockfloor 172.31.0.1 && bench-floor run --lower /layer --work /dir --bridge drydockfloor --
// /bin/true Source: clone(2), cgroups(7), veth(4), rtnetlink(7); overlayfs.rst and cgroup-v1/ in the kernel documentation.
#pragma once

#include <sys/mount.h>

#include <cstdint>

namespace drydock::bench {

inline constexpr int controllers = 4;  // of v1

// What must be known on both sides of clone3.
struct Container {
  const char* name = nullptr;
  bool v2 = false;
  char group[controllers][96];
  char unified[96];  // empty where there is no cgroup2 beside v1
  char upper[256], inner_work[256], merged[256], overlay[2048];
  int tasks[controllers] = {-1, -1, -1, -1};
  int go[2] = {-1, -1};
};

// Says what failed with errno's text, and exits with 125.
[[noreturn]] void die(const char* what);
// Dies when `result` is negative; returns it otherwise.
long must(long result, const char* what);

void write_file(const char* directory, const char* name, const char* text);
void mount_at(const char* source, const char* target, const char* type, unsigned long flags, const char* data);

// --- floor_cgroups.cpp
// Groups with the limits of `-m 64M --cpus 1 --pids-limit 100`. Returns the descriptor of the cgroup2
// directory that the child is born into, -1 where there is none.
int make_groups(Container& c);
// v1: the child opens the files while it still sees the host's tree, ...
void open_tasks(Container& c);
// ... and writes 0: that takes no global lock. A pid in cgroup.procs waits for an RCU grace period (5-20 ms when idle).
void attach(const Container& c, int first, int last);
// The group as the container sees it, below the current directory.
void mount_groups(const Container& c);
void remove_groups(const Container& c);

// --- floor_network.cpp
// Creates the bridge `name` with `address`/24 in the caller's network namespace; one that exists is left as it is.
void make_bridge(const char* name, const char* address);
// A veth pair: `name` enslaved to bridge number `bridge` and up, its peer born as eth0 in the network namespace of `pid`.
// Both ends are born where they will live: moving one afterwards waits for an RCU grace period (16-33 ms).
void make_veth(const char* name, unsigned bridge, int pid);
// In the container: lo up, eth0 gets `address`/24 and goes up, default route by `gateway`.
void configure_inside(const char* address, const char* gateway);

}  // namespace drydock::bench
