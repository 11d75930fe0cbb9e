// The addresses of one bridge network on one host, where a host is a network namespace.
//
// Each host has a directory STATE/net-<cookie>/ with the file `addresses` (the pool) and the directory `ledgers/` (of the
// containers that run there). No address is ever released: a lease is alive while the host's end of the veth pair exists, or
// while the container has not ended and the process that leased, or its ledger, is there. So an address is given again only
// after the kernel has really removed the link, which happens some milliseconds after the container is gone.
// The format of the file and the test of life are shared with the monitor (plan/executor/shared_network.hpp).
//
// Example: Pool pool("/run/drydock", config); Ipv4 address = pool.lease(id, veth_name(id));
//          ... the host's state is read and the plan is built after the lease: from here on nobody takes the bridge down.
// Source: flock(2); SO_NETNS_COOKIE (Linux 5.14) in socket(7).
#pragma once

#include <optional>
#include <string>

#include <drydock/kernel/fd.hpp>
#include <drydock/network/subnet.hpp>
#include <drydock/plan/op.hpp>

namespace drydock::network {

// "net-" and the cookie of the caller's network namespace in hexadecimal; on kernels before 5.14 its inode number.
std::string host_key();

class Pool {
 public:
  // `state` is STATE; nothing is created before the first lease. The second form takes the directory of the host itself.
  Pool(const std::string& state, BridgeConfig config);
  struct HostDirectory {
    std::string path;
  };
  Pool(HostDirectory directory, BridgeConfig config);

  const std::string& directory() const { return directory_; }
  std::string path() const { return directory_ + "/addresses"; }
  std::string ledgers() const { return directory_ + "/ledgers"; }
  const BridgeConfig& config() const { return config_; }

  // Takes an address for container `id` whose link will be called `link`; `wanted` asks for that very one, and waits up to
  // 2 s for the link of a container that had it and has just ended.
  // Remembers ip_forward with the first lease. Safe with any number of callers at once; waits only for the file lock.
  // Throws Error when the pool is exhausted, the wanted address is taken, reserved or outside the subnet, and when containers
  // of another subnet still run.
  Ipv4 lease(const std::string& id, const std::string& link, std::optional<Ipv4> wanted = std::nullopt);
  // The container has ended, or never began: from now on only its link keeps the address. Unknown ids are fine.
  void end(const std::string& id);
  // No lease is alive.
  bool idle() const;
  // When idle: takes bridge, NAT table and pool file down, and ip_forward back to what it was. True when it did.
  // What a killed monitor left is repaired by this; every command calls it first. Costs one failing open when there is nothing.
  // The links of containers that ended a moment ago are waited for, `patience_ms` at most.
  bool release_if_idle(int patience_ms = 0);
  // When no container has an address: the monitor of the last one takes everything down as soon as its link is gone, but stays a
  // moment in case another one comes. Waits for that.
  void wait_released(int patience_ms) const;

 private:
  std::string directory_;
  BridgeConfig config_;
};

// What release_network of the monitor sends at the very end; `id` is the container that ends.
plan::Bytes teardown(const BridgeConfig& config, const std::string& id);

}  // namespace drydock::network
