// The text of procfs files turned into values: pure functions, one per file.
//
// Lines that are not understood are passed over: a newer kernel may add some.
//
// Example: std::vector<Mount> mounts = parse::mountinfo(sys::read_file("/proc/self/mountinfo"));
// Source: proc(5); Documentation/filesystems/proc.rst; net/ipv4/fib_trie.c and net/ipv6/addrconf.c for their own formats.
#pragma once

#include <cstdint>
#include <string_view>

#include <drydock/facts/snapshot.hpp>

namespace drydock::facts::parse {

std::vector<std::string_view> lines(std::string_view text);
// Words between runs of spaces and tabs.
std::vector<std::string_view> words(std::string_view line);
// Undoes the octal escapes of mountinfo: "a\040b" is "a b".
std::string unescaped(std::string_view text);

Status status(std::string_view text);
std::vector<IdMapLine> id_map(std::string_view text);
std::vector<Mount> mountinfo(std::string_view text);
// NUL separated words, as in cmdline and environ.
std::vector<std::string> strings(std::string_view block);
// "mnt:[4026531841]" -> 4026531841; empty when it is not such a link.
std::optional<std::uint64_t> namespace_link(std::string_view link);
std::vector<Rlimit> limits(std::string_view text);

// /proc/PID/cgroup without directories and limits.
std::vector<CgroupFact> cgroup(std::string_view text);
// Where the group's files are, given the reader's own mounts: empty when its hierarchy is not mounted, or only a part of it that
// does not hold the group.
std::string cgroup_directory(const CgroupFact& group, const std::vector<Mount>& mounts);

std::vector<Link> net_dev(std::string_view text);
// Main table, IPv4, in the order of the file.
std::vector<Route> route(std::string_view text);
// The machine's own IPv4 addresses. The trie does not say on which link: the connected route of `routes` does, and the prefix
// length with it ("/32" when there is none).
std::vector<Address> fib_trie(std::string_view text, const std::vector<Route>& routes);
std::vector<Address> if_inet6(std::string_view text);

}  // namespace drydock::facts::parse
