#include <drydock/doctor/machine.hpp>

#include <pwd.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include <drydock/cgroups/host.hpp>
#include <drydock/kernel/error.hpp>
#include <drydock/kernel/raw.hpp>
#include <drydock/kernel/sys.hpp>
#include <drydock/namespaces/permission.hpp>
#include <drydock/network/nat_query.hpp>
#include <drydock/security/capabilities.hpp>

namespace drydock::doctor {

namespace {

// What cannot be read is not there, for the purposes of a diagnosis.
std::string text_of(const std::string& path) {
  try {
    return sys::read_file_if_present(path).value_or("");
  } catch (const Error&) {
    return "";
  }
}

std::string file_system_name(std::uint64_t magic) {
  struct Row {
    std::uint64_t magic;
    const char* name;
  };
  // statfs(2); vboxsf and drvfs are not listed there.
  constexpr std::array<Row, 14> rows{{{0xef53, "ext4"}, {0x58465342, "xfs"}, {0x9123683e, "btrfs"}, {0x01021994, "tmpfs"}, {0x794c7630, "overlay"},
                                      {0x6969, "nfs"}, {0x01021997, "9p"}, {0x786f4256, "vboxsf"}, {0x65735546, "fuse"}, {0xfe534d42, "smb"},
                                      {0xff534d42, "cifs"}, {0x4d44, "vfat"}, {0x2fc12fc1, "zfs"}, {0xf2f52010, "f2fs"}}};
  for (const Row& row : rows)
    if (row.magic == magic) return row.name;
  return fmt::format("{:#x}", magic);
}

Place place_of(std::string path) {
  Place place{path, false, "", 0};
  while (path.size() > 1 && !sys::exists(path)) path = path.substr(0, std::max<std::size_t>(path.rfind('/'), 1));
  struct statfs status {};
  if (::statfs(path.c_str(), &status) != 0) return place;
  place.writable = ::access(path.c_str(), W_OK) == 0;
  place.file_system = file_system_name(static_cast<std::uint32_t>(status.f_type));
  place.free_bytes = static_cast<std::uint64_t>(status.f_bavail) * static_cast<std::uint64_t>(status.f_bsize);
  return place;
}

std::string path_of(const std::string& program) {
  // An administrator's programs are not in every user's PATH.
  std::string directories = ::getenv("PATH") != nullptr ? ::getenv("PATH") : "";
  directories += ":/usr/sbin:/sbin";
  for (std::size_t at = 0; at < directories.size();) {
    const std::size_t end = std::min(directories.find(':', at), directories.size());
    const std::string path = directories.substr(at, end - at) + "/" + program;
    if (end > at && ::access(path.c_str(), X_OK) == 0) return path;
    at = end + 1;
  }
  return "";
}

std::string user_name(unsigned id) {
  const passwd* entry = ::getpwuid(id);
  return entry != nullptr ? entry->pw_name : std::to_string(id);
}

bool can_make_groups(const cgroups::Layout& layout) {
  const auto writable = [](const std::string& path) { return ::access(path.c_str(), W_OK) == 0; };
  for (const cgroups::Place& place : layout.places)
    if (place.version == cgroups::Version::v1 && !writable(place.mount)) return false;
  return layout.cgroup2.empty() ? !layout.places.empty() : writable(layout.cgroup2 + layout.parent2);
}

std::string nftables_problem() {
  try {
    return network::nat_state({}) == network::NatState::unknown ? "asking needs CAP_NET_ADMIN" : "";
  } catch (const Error& error) {
    return error.what();
  }
}

std::vector<std::string> disk_schedulers() {
  std::vector<std::string> all;
  if (!sys::exists("/sys/block")) return all;
  for (const std::string& disk : sys::list_directory("/sys/block"))
    if (const std::string text = text_of("/sys/block/" + disk + "/queue/scheduler"); !text.empty()) all.push_back(text);
  return all;
}

// Settings are not all: a filter of an outer container or a security module may forbid it too. A child tries, and is gone.
std::string user_namespace_refusal() {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(raw::error_of(raw::call(SYS_unshare, CLONE_NEWUSER)));
  int status = 0;
  if (child < 0 || ::waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) == 0) return "";
  return errno_name(WEXITSTATUS(status));
}

std::string example_disk(const cgroups::Layout& layout) {
  cgroups::Limits weight;
  weight.blkio_weight = 100;
  return cgroups::read_host(layout, weight).disk_example;
}

std::string container_marker(const std::string& version) {
  for (const char* file : {"/.dockerenv", "/run/.containerenv"})
    if (sys::exists(file)) return file;
  if (const char* name = ::getenv("container"); name != nullptr) return std::string("container=") + name;
  return version.find("icrosoft") != std::string::npos ? "WSL" : "";
}

}  // namespace

const std::vector<std::string>& programs_of_interest() {
  static const std::vector<std::string> names{"newuidmap", "newgidmap", "jupyter", "c++", "cmake", "ninja"};
  return names;
}

const std::vector<std::string>& sysctls_of_interest() {
  static const std::vector<std::string> names{"kernel/core_pattern", "kernel/pid_max"};
  return names;
}

Machine read_machine(const Directories& directories) {
  Machine machine;
  utsname names{};
  ::uname(&names);
  machine.release = names.release;
  machine.architecture = names.machine;
  machine.mountinfo = sys::read_file("/proc/self/mountinfo");
  machine.version = text_of("/proc/version");
  machine.filesystems = text_of("/proc/filesystems");
  machine.swaps = text_of("/proc/swaps");
  machine.modules = text_of("/lib/modules/" + machine.release + "/modules.dep");
  machine.euid = sys::geteuid();
  machine.user = user_name(machine.euid);
  machine.capabilities = security::mask_in_status(text_of("/proc/self/status"), "CapEff");
  machine.layout = cgroups::read_manageable_layout();
  machine.cgroups_writable = can_make_groups(machine.layout);
  machine.sysctls = namespaces::read_settings();
  for (const std::string& name : sysctls_of_interest())
    if (const auto text = sys::read_file_if_present("/proc/sys/" + name)) machine.sysctls[name] = *text;
  machine.user_namespaces = sys::exists("/proc/self/ns/user");
  machine.userns_refusal = user_namespace_refusal();
  machine.subuids = namespaces::parse_sub_ids(text_of("/etc/subuid"), machine.user, machine.euid);
  machine.subgids = namespaces::parse_sub_ids(text_of("/etc/subgid"), machine.user, machine.euid);
  for (const std::string& program : programs_of_interest())
    if (const std::string path = path_of(program); !path.empty()) machine.programs[program] = path;
  machine.slirp = network::look_for_slirp();
  machine.nftables = nftables_problem();
  machine.schedulers = disk_schedulers();
  machine.disk = example_disk(machine.layout);
  machine.data = place_of(directories.data);
  machine.state = place_of(directories.state);
  machine.monitor = sys::exists(directories.monitor) ? directories.monitor : "";
  machine.clock = ::time(nullptr);
  machine.container_marker = container_marker(machine.version);
  return machine;
}

}  // namespace drydock::doctor
