#include <drydock/doctor/examine.hpp>

#include <linux/capability.h>

#include <algorithm>
#include <charconv>

#include <drydock/facts/parse.hpp>
#include <drydock/kernel/remedies.hpp>
#include <drydock/namespaces/permission.hpp>

namespace drydock::doctor {

namespace {

constexpr std::uint64_t mebibyte = 1024 * 1024;

Finding ok(std::string feature, std::string found) {
  return {std::move(feature), Grade::ok, std::move(found), "", ""};
}

Finding degraded(std::string feature, std::string found, std::string cost, std::string remedy) {
  return {std::move(feature), Grade::degraded, std::move(found), std::move(cost), std::move(remedy)};
}

Finding missing(std::string feature, std::string found, std::string cost, std::string remedy) {
  return {std::move(feature), Grade::missing, std::move(found), std::move(cost), std::move(remedy)};
}

bool has(const Machine& machine, const std::string& program) {
  return machine.programs.contains(program);
}

bool holds(const Machine& machine, int capability) {
  return (machine.capabilities >> capability & 1) != 0;
}

// Major and minor of "6.1.0-44-cloud-amd64" as 6001.
int release_number(const std::string& release) {
  int major = 0, minor = 0;
  const auto [end, error] = std::from_chars(release.data(), release.data() + release.size(), major);
  if (error == std::errc{} && end < release.data() + release.size() && *end == '.') std::from_chars(end + 1, release.data() + release.size(), minor);
  return major * 1000 + minor;
}

Finding kernel(const Machine& machine) {
  const int number = release_number(machine.release);
  const std::string newer = remedies::newer_kernel;
  if (number < 5012) return missing("kernel", machine.release, "no container starts: clone3, mount_setattr and others need Linux 5.12", newer);
  if (number < 5019) return degraded("kernel", machine.release, "layers cannot be id-mapped (--userns needs Linux 5.19)", newer);
  return ok("kernel", machine.release + " on " + machine.architecture);
}

Finding privilege(const Machine& machine) {
  if (machine.euid == 0 && holds(machine, CAP_SYS_ADMIN)) return ok("privilege", "root");
  if (machine.euid == 0)
    return degraded("privilege", "root without CAP_SYS_ADMIN (inside a container?)", "nothing can be mounted outside a user namespace", remedies::outer_privileged);
  return degraded("privilege", "user " + machine.user, "containers run in a user namespace: see the lines below for what that costs", "sudo gives everything");
}

Finding cgroup_tree(const Machine& machine) {
  if (!machine.layout.restriction.empty()) return degraded("control groups", machine.layout.restriction, "no limits without root", machine.layout.way_out);
  const std::string shape(cgroups::shape_name(machine.layout.shape));
  if (machine.layout.shape == cgroups::Shape::none)
    return missing("control groups", "not mounted", "no limits, no freezing, no counting", machine.layout.remedy_for(""));
  if (machine.cgroups_writable) return ok("control groups", shape);
  return missing("control groups", shape + ", read-only", "no limits", remedies::writable_cgroups);
}

Finding limit(const Machine& machine, const std::string& feature, const std::string& controller, const std::string& flags) {
  if (machine.cgroups_writable && machine.layout.find(controller) != nullptr)
    return ok(feature, std::string("controller ") + controller + (machine.layout.find(controller)->version == cgroups::Version::v1 ? ", version 1" : ", version 2"));
  const std::string cost = "without effect, which a run says: " + flags;
  if (!machine.cgroups_writable) return missing(feature, "the control groups cannot be changed (see above)", cost, "see 'control groups' above");
  return missing(feature, machine.layout.why_missing(controller), cost, machine.layout.remedy_for(controller));
}

Finding swap_limit(const Machine& machine) {
  if (facts::parse::lines(machine.swaps).size() > 1) return ok("swap", "there is some: --memory-swap counts");
  return degraded("swap", "this machine has none", "--memory-swap has nothing to limit", remedies::swap_space);
}

Finding disk_weight(const Machine& machine) {
  for (const std::string& scheduler : machine.schedulers)
    if (scheduler.find("[bfq]") != std::string::npos) return ok("disk weight", "a disk is scheduled by bfq");
  return degraded("disk weight", "no disk is scheduled by bfq", "--blkio-weight has no effect", remedies::bfq(machine.disk));
}

Finding user_namespaces(const Machine& machine) {
  const std::string feature = "user namespaces", cost = machine.euid == 0 ? "--userns does not work" : "no container without root";
  if (!machine.user_namespaces) return missing(feature, "not in this kernel (CONFIG_USER_NS)", cost, "use a kernel of a distribution");
  const auto closed = namespaces::closed_by(machine.euid, machine.sysctls);
  if (!closed && !machine.userns_refusal.empty())
    return missing(feature, "the kernel refuses a new one (" + machine.userns_refusal + ")", cost, remedies::outer_privileged);
  if (!closed) return ok(feature, "available to " + machine.user);
  Finding finding = missing(feature, closed->found(), cost, closed->remedy());
  finding.repairs = {{closed->setting, closed->should}};
  return finding;
}

std::uint64_t id_count(const std::vector<namespaces::SubIds>& ranges) {
  std::uint64_t count = 0;
  for (const namespaces::SubIds& range : ranges) count += range.count;
  return count;
}

Finding sub_ids(const Machine& machine) {
  const std::string feature = "ranges of ids";
  if (machine.euid == 0) return ok(feature, "root may map any");
  const std::string cost = "a container without root has one id only: programs that change their user fail";
  if (id_count(machine.subuids) < 65536 || id_count(machine.subgids) < 65536)
    return degraded(feature, "fewer than 65536 for " + machine.user + " in /etc/subuid or /etc/subgid", cost, remedies::grant_ids);
  if (!has(machine, "newuidmap") || !has(machine, "newgidmap"))
    return degraded(feature, "newuidmap or newgidmap is missing", cost, remedies::id_mappers);
  return ok(feature, std::to_string(id_count(machine.subuids)) + " for " + machine.user);
}

Finding overlay(const Machine& machine) {
  if (machine.filesystems.find("\toverlay\n") != std::string::npos) return ok("overlay", "available");
  if (machine.modules.find("/overlay.ko") != std::string::npos)
    return degraded("overlay", "its module is not loaded", "no image can be run unless the kernel loads it by itself, which it usually does", remedies::overlay_module);
  return missing("overlay", "not among the file systems of this kernel", "no image can be run", remedies::overlay_module);
}

Finding nftables(const Machine& machine) {
  if (machine.nftables.empty()) return ok("address translation", "nf_tables");
  if (machine.euid != 0) return degraded("address translation", "only root may use it", "without root the network is that of slirp4netns", "");
  return missing("address translation", machine.nftables, "no bridge network and no published ports; --network none and host work", remedies::nft_modules);
}

Finding rootless_network(const Machine& machine) {
  if (machine.euid == 0 && !holds(machine, CAP_NET_ADMIN))
    return missing("network", "root without CAP_NET_ADMIN (inside a container?)", "no bridge and no published ports", remedies::outer_privileged);
  if (machine.euid == 0) return ok("network", "bridge");
  const auto lack = network::lack_of(machine.slirp);
  if (!lack) return ok("network", "slirp4netns carries the packets");
  return degraded("network", lack->what, "a container without root has only lo, and -p is refused", lack->remedy);
}

// Mounts over parts of /proc (as a container has them) keep the kernel from showing a fresh one to a user namespace.
Finding proc_masks(const Machine& machine) {
  std::string masked;
  for (const facts::Mount& mount : facts::parse::mountinfo(machine.mountinfo))
    if (mount.target.starts_with("/proc/") && mount.type != "binfmt_misc" && mount.type != "autofs") masked = mount.target;
  if (masked.empty()) return ok("fresh /proc", "nothing lies over parts of it");
  return degraded("fresh /proc", masked + " is covered by another mount: this is the inside of a container",
                  "in a user namespace the kernel refuses a new /proc (EPERM)", remedies::whole_proc);
}

Finding data_directory(const Machine& machine) {
  const Place& data = machine.data;
  const std::string where = data.path + " on " + data.file_system;
  if (!data.writable) return missing("image store", data.path + " cannot be written by " + machine.user, "no image can be kept", remedies::other_data);
  for (const char* poor : {"overlay", "nfs", "9p", "vboxsf", "fuse", "smb", "cifs", "vfat"})
    if (data.file_system == poor)
      return missing("image store", where, "an overlay's writable layer cannot lie there (it needs xattrs and mknod)", remedies::own_disk);
  if (data.free_bytes < 100 * mebibyte)
    return degraded("image store", where + ", " + std::to_string(data.free_bytes / mebibyte) + " MiB free", "images and containers may end with ENOSPC", remedies::free_space);
  return ok("image store", where + ", " + std::to_string(data.free_bytes / mebibyte) + " MiB free");
}

Finding state_directory(const Machine& machine) {
  if (machine.state.writable) return ok("state", machine.state.path + " on " + machine.state.file_system);
  return missing("state", machine.state.path + " cannot be written by " + machine.user, "no container starts", remedies::other_state);
}

Finding monitor(const Machine& machine) {
  if (!machine.monitor.empty()) return ok("monitor", machine.monitor);
  return missing("monitor", "drydock-monitor is not where it should be", "no container starts", remedies::monitor);
}

Finding clock(const Machine& machine) {
  constexpr std::int64_t beginning_of_2024 = 1'704'067'200;
  if (machine.clock >= beginning_of_2024) return ok("clock", "after 2024");
  return degraded("clock", "it stands before 2024", "certificates and package lists are refused as not yet valid", "sudo timedatectl set-ntp true, or date -s");
}

Finding core_pattern(const Machine& machine) {
  const auto found = machine.sysctls.find("kernel/core_pattern");
  if (found == machine.sysctls.end() || !found->second.starts_with('|')) return ok("core dumps", "written as files");
  return degraded("core dumps", "given to a program of the host: " + found->second.substr(0, found->second.find('\n')), "a crash inside a container is reported outside", "sysctl -w kernel.core_pattern=core");
}

Finding home(const Machine& machine) {
  if (machine.container_marker.empty()) return ok("machine", "no container, no WSL");
  return degraded("machine", "this is the inside of something else (" + machine.container_marker + ")", "some of the lines above depend on how that was started", "the Vagrant machine has everything");
}

Finding notebooks(const Machine& machine) {
  if (has(machine, "jupyter")) return ok("notebooks", machine.programs.at("jupyter"));
  return degraded("notebooks", "jupyter is not there", "the notebooks are opened from a virtual environment", "./lab notebook");
}

}  // namespace

std::string_view grade_name(Grade grade) {
  return grade == Grade::ok ? "ok" : grade == Grade::degraded ? "degraded" : "missing";
}

std::vector<Finding> examine(const Machine& m) {
  return {kernel(m),
          privilege(m),
          cgroup_tree(m),
          limit(m, "memory limit", "memory", "-m and --memory-swap"),
          limit(m, "processor limit", "cpu", "--cpus and -c"),
          limit(m, "process limit", "pids", "--pids-limit"),
          limit(m, "processor choice", "cpuset", "--cpuset-cpus"),
          limit(m, "disk limit", m.layout.shape == cgroups::Shape::v2 ? "io" : "blkio", "--device-read-bps and its like"),
          swap_limit(m),
          disk_weight(m),
          user_namespaces(m),
          sub_ids(m),
          overlay(m),
          nftables(m),
          rootless_network(m),
          proc_masks(m),
          data_directory(m),
          state_directory(m),
          monitor(m),
          clock(m),
          core_pattern(m),
          notebooks(m),
          home(m)};
}

}  // namespace drydock::doctor
