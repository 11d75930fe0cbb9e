// What a machine says about itself, as far as containers care: read once, judged by pure code.
//
// Every file of the machine is kept as text where its judgement is not trivial, so that the judgement can be tested on any
// machine with the text of any other.
//
// Example: const Machine machine = read_machine({"/var/lib/drydock", "/run/drydock", monitor}); examine(machine);
// Source: proc(5), proc_sys_kernel(5), proc_sys_user(5), statfs(2), os-release(5).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <drydock/cgroups/layout.hpp>
#include <drydock/namespaces/id_map.hpp>
#include <drydock/network/slirp.hpp>

namespace drydock::doctor {

// Where a directory lies and what may be done there. The nearest existing parent is asked when it is not there yet.
struct Place {
  std::string path;
  bool writable = false;
  std::string file_system;       // "ext4", "overlay", "vboxsf"; a number in hexadecimal when it has no name here
  std::uint64_t free_bytes = 0;  // for this user
};

struct Machine {
  std::string release = "0", architecture;  // of uname(2)
  std::string version;                      // /proc/version
  unsigned euid = 0;
  std::string user;
  std::uint64_t capabilities = 0;  // effective
  cgroups::Layout layout;          // as this user may use it
  bool cgroups_writable = false;   // a group could be made: tried by access(2), nothing is made
  std::string mountinfo, filesystems, swaps;
  std::string modules;             // modules.dep of this kernel: those that can be loaded
  // /proc/sys paths ("user/max_user_namespaces") to their text; those that do not exist are missing.
  std::map<std::string, std::string> sysctls;
  bool user_namespaces = false;  // the kernel has them
  std::string userns_refusal;    // "EPERM": what a child got that tried to make one; empty when it did
  std::vector<namespaces::SubIds> subuids, subgids;
  std::map<std::string, std::string> programs;  // name -> path, of those looked for that are there
  network::SlirpNeeds slirp;
  std::string nftables;                         // empty: usable; else why not
  std::vector<std::string> schedulers;          // of every disk, as in sysfs: "mq-deadline [none] bfq"
  std::string disk;                             // one of them, as an example
  Place data, state;
  std::string monitor;            // its path; empty when it is missing
  std::int64_t clock = 0;         // seconds since 1970
  std::string container_marker;   // the file or variable by which a container or WSL is known, else empty
};

struct Directories {
  std::string data, state, monitor;
};

// Throws Error when /proc is not mounted: nothing can be said then. Everything else that cannot be read counts as missing.
Machine read_machine(const Directories& directories);

// The programs that read_machine() looks for, and the sysctls beside those of user namespaces.
const std::vector<std::string>& programs_of_interest();
const std::vector<std::string>& sysctls_of_interest();

}  // namespace drydock::doctor
