// People of chapter 07: an ordinary user, and root of a user namespace.
//
// Example: Resident resident(CLONE_NEWUTS);
//          tell.show("uid", resident.run([] { return std::to_string(::geteuid()); }), is("0"));
// Source: user_namespaces(7), prctl(2) PR_SET_DUMPABLE.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "shared/child.hpp"
#include "shared/needs.hpp"
#include "shared/values.hpp"

namespace drydock::chapter::user {

inline constexpr unsigned nobody = 65534;  // the kernel's overflow id too
inline constexpr unsigned range_start = 100000, range_length = 65536;

// Of a child: from here on it is nobody with these groups, where it was root; an ordinary user stays who they are.
void become_ordinary(std::span<const gid_t> groups = {});
// An ordinary user may make user namespaces: said where a setting of the machine forbids it.
Need ordinary_users_may();

// One write(2) to a file of /proc.
Outcome write_once(const std::string& path, const std::string& words);
// The text of a map, or of another file of numbers, without the blanks that line it up: "0 100000 65536"; "(empty)".
std::string map_of(const std::string& path);
// "all" of what the kernel knows, "none", or some by name.
std::string effective_capabilities(pid_t pid);
inline std::string effective_capabilities() {
  return effective_capabilities(0);
}

// Runs as root of the user namespace of `pid`, in that and in others of its namespaces.
std::string as_root_of(pid_t pid, std::vector<namespaces::Kind> others, const std::function<std::string()>& look);

// A process in a user namespace, and in others that belong to it. Root of that one is host id 100000 where the chapter has root,
// with 65536 ids; for an ordinary user it is the one id that is theirs.
class Resident {
 public:
  explicit Resident(std::uint64_t flags = 0);

  pid_t pid() const { return child_.pid(); }
  std::uint32_t outside_id() const { return outside_; }
  // Runs as root in there, in its user namespace and those of `flags`.
  std::string run(const std::function<std::string()>& look) const;
  Outcome call(const std::function<long()>& system_call) const;
  // The same as a process that stays for as long as one talks to it.
  Child guest(const Body& body) const;

 private:
  std::uint32_t outside_;
  std::vector<namespaces::Kind> others_;
  Child child_;
};

}  // namespace drydock::chapter::user
