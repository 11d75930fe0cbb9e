// Flags and numbers of the kernel under their own names: nothing the project prints is a bare number.
//
// Unknown bits print in hexadecimal behind the known ones, so that nothing is hidden.
//
// Example: symbols::clone_flags(CLONE_NEWPID | CLONE_NEWNS) == "CLONE_NEWNS|CLONE_NEWPID"
// Source: the kernel's uapi headers (linux/sched.h, linux/mount.h, linux/fs.h, linux/capability.h, ...).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace drydock::symbols {

std::string clone_flags(std::uint64_t flags);
std::string mount_flags(std::uint64_t flags);
std::string mount_attributes(std::uint64_t attributes);
std::string open_tree_flags(std::uint64_t flags);
std::string move_mount_flags(std::uint64_t flags);
std::string umount_flags(std::uint64_t flags);
std::string fsmount_flags(std::uint64_t flags);
std::string open_flags(std::uint64_t flags);
std::string resolve_flags(std::uint64_t flags);
std::string propagation(std::uint64_t flags);
std::string octal(std::uint64_t mode);

// "SIGTERM"; "signal 77" when there is no name (real-time signals print as SIGRTMIN+n).
std::string signal(int number);
// Accepts "TERM", "SIGTERM", "15"; empty when there is no such signal.
std::optional<int> signal_number(std::string_view name);
// "CAP_NET_ADMIN"; and back, with or without the prefix, in any case.
std::string capability(int number);
std::optional<int> capability_number(std::string_view name);
// The highest capability this table knows (CAP_LAST_CAP of the newest known kernel).
int last_capability();
// "RLIMIT_NOFILE"; and back from Docker's short name ("nofile").
std::string resource(int number);
std::optional<int> resource_number(std::string_view short_name);
std::string prctl_option(int option);
std::string ioctl_request(std::uint64_t request);
std::string socket_family(int family);
std::string socket_type(int type);
std::string netlink_protocol(int protocol);

}  // namespace drydock::symbols
