// The floor: what a container costs when nothing but the kernel is paid.
//
// bench-floor makes the system calls that a container like `drydock run --rm -m 64M --cpus 1 --pids-limit 100 busybox true`
// needs, and no other: no image store, no configuration, no record of anything, every failure ends it. It is a yardstick, not a
// runtime.
//
// Example: bench-floor bridge drydockfloor 172.31.0.1 && bench-floor run --lower /layer --work /dir --bridge drydockfloor --
// /bin/true Source: clone(2), cgroups(7), veth(4), rtnetlink(7); overlayfs.rst and cgroup-v1/ in the kernel documentation.
#pragma once

#include <cstdint>

namespace drydock::bench {

// Says what failed with errno's text, and exits with 125.
[[noreturn]] void die(const char* what);
// Dies when `result` is negative; returns it otherwise.
long must(long result, const char* what);

// Creates the bridge `name` with `address`/24 in the caller's network namespace; one that exists is left as it is.
void make_bridge(const char* name, const char* address);
// A veth pair: `name` enslaved to bridge number `bridge` and up, its peer born as eth0 in the network namespace of `pid`.
// Both ends are born where they will live: moving one afterwards waits for an RCU grace period (16-33 ms).
void make_veth(const char* name, unsigned bridge, int pid);
// In the container: lo up, eth0 gets `address`/24 and goes up, default route by `gateway`.
void configure_inside(const char* address, const char* gateway);

}  // namespace drydock::bench
