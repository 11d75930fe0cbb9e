// The directories of a launch: made before it, kept while anything is in them, taken away by `drydock reset`.
//
//   DATA/{containers,volumes,upper,work}     for all hosts
//   STATE/net-<cookie>/{ledgers,names,root}  of one host, which is a network namespace (network/pool.hpp adds `addresses`)
//
// Example: const Fd claim = prepare_directories(paths);  // ... until the ledger has its name
// Source: flock(2); rmdir(2), whose ENOTEMPTY protects whatever a ledger or a name lies in.
#pragma once

#include <string>

#include <drydock/container/container.hpp>
#include <drydock/kernel/fd.hpp>

namespace drydock::container {

// STATE/net-<cookie> of the caller's host.
std::string host_directory(const Paths& paths);

// Makes all of them. While the result is open nobody takes the host's directory away for being empty.
// Throws Error naming the path that cannot be made, or the state directory that somebody else could write to.
[[nodiscard]] Fd prepare_directories(const Paths& paths);

// Takes away the empty directories of all hosts, also of those that are gone, where no launch has begun; then STATE itself if
// it is empty. True when something went.
bool remove_idle_directories(const Paths& paths);

}  // namespace drydock::container
