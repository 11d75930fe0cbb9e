// Whether this machine lets its users make user namespaces at all: three settings can forbid it, and the kernel's errno names
// none.
//
// Example: if (const auto closed = closed_by(euid, read_settings())) throw Error::refused("--userns", closed->found,
// closed->remedy()); Source: user_namespaces(7), /proc/sys/user/max_user_namespaces; Debian's kernel.unprivileged_userns_clone;
// Ubuntu's kernel.apparmor_restrict_unprivileged_userns.
#pragma once

#include <map>
#include <optional>
#include <string>

namespace drydock::namespaces {

// Paths below /proc/sys ("user/max_user_namespaces") to their text; those that do not exist are missing.
using Settings = std::map<std::string, std::string>;
Settings read_settings();

struct Closed {
  std::string setting;  // "kernel/unprivileged_userns_clone"
  std::string is, should;
  std::string name() const;  // "kernel.unprivileged_userns_clone"
  std::string found() const { return name() + " is " + is; }
  std::string remedy() const { return "sysctl -w " + name() + "=" + should; }
};

// The first setting that closes them to a user with effective id `euid`; nothing when none does.
std::optional<Closed> closed_by(unsigned euid, const Settings& settings);

}  // namespace drydock::namespaces
