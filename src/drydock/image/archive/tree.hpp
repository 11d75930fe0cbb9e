// Removing and looking by directory descriptor: a path string is never resolved twice.
//
// Example: remove_at(dir, "old");   // whatever it is, with all that is below
// Source: unlinkat(2), newfstatat(2), openat(2) with O_NOFOLLOW.
#pragma once

#include <sys/stat.h>

#include <optional>
#include <string>

#include <drydock/kernel/fd.hpp>

namespace drydock::image {

// Without following a link. Throws Error::from_errno.
struct stat stat_at(const Fd& dir, const std::string& name);
std::optional<struct stat> stat_at_if_present(const Fd& dir, const std::string& name);
// Also trees deeper than any path may be long, and directories without permissions of their owner.
void remove_at(const Fd& dir, const std::string& name);
void remove_directory(const std::string& path);  // missing is fine
// rename(2) of a directory, which needs write permission on it to change its "..": a layer's root may have none in a rootless
// store. False when `to` is there already and not empty.
bool move_directory(const std::string& from, const std::string& to);

}  // namespace drydock::image
