#include <drydock/cgroups/host.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>

#include <drydock/kernel/error.hpp>
#include <drydock/kernel/sys.hpp>

namespace drydock::cgroups {

namespace {

std::string trimmed(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  return text;
}

std::string read_trimmed(const std::string& path) {
  return trimmed(sys::read_file_if_present(path).value_or(""));
}

bool is_disk(const std::string& name) {
  return !name.starts_with("loop") && !name.starts_with("ram") && !name.starts_with("zram");
}

void read_schedulers(Host& host) {
  if (!sys::exists("/sys/block")) return;
  for (const std::string& name : sys::list_directory("/sys/block")) {
    if (read_trimmed("/sys/block/" + name + "/queue/scheduler").find("[bfq]") != std::string::npos) host.bfq_active = true;
    if (is_disk(name) && host.disk_example.empty()) host.disk_example = name;
  }
}

void read_weight(Host& host, const Layout& layout) {
  // The weight files exist in child groups only; these of the same policies exist in the root as well.
  if (const Place* blkio = layout.find("blkio")) {
    host.bfq = sys::exists(blkio->mount + "/blkio.bfq.io_service_bytes") || sys::exists(blkio->mount + "/blkio.bfq.io_serviced");
    host.cfq = sys::exists(blkio->mount + "/blkio.weight");
  } else if (const Place* io = layout.find("io")) {
    host.io_cost = read_trimmed(io->mount + "/io.cost.qos").find("enable=1") != std::string::npos;
  }
  read_schedulers(host);
  if (layout.shape == Shape::v2) host.bfq = host.bfq_active;  // io.bfq.weight has no trace in the root of the tree
}

void read_swap(Host& host, const Layout& layout) {
  const std::string swaps = read_trimmed("/proc/swaps");
  host.swap = std::count(swaps.begin(), swaps.end(), '\n') >= 1;
  const Place* memory = layout.find("memory");
  if (memory != nullptr && memory->version == Version::v1)
    host.swap_accounting = sys::exists(memory->mount + "/memory.memsw.limit_in_bytes");
}

void read_cpu(Host& host, const Layout& layout) {
  std::string online = read_trimmed("/sys/devices/system/cpu/online");
  if (const Place* cpuset = layout.find("cpuset")) {
    const std::string prefix = cpuset->mount + "/cpuset.";
    const std::string suffix = cpuset->version == Version::v1 ? "" : ".effective";
    if (const std::string cpus = read_trimmed(prefix + "cpus" + suffix); !cpus.empty()) online = cpus;
    if (const std::string nodes = read_trimmed(prefix + "mems" + suffix); !nodes.empty()) host.memory_nodes = nodes;
  }
  if (!online.empty()) host.cpus = parse_cpu_list(online);
  if (const Place* cpu = layout.find("cpu"); cpu != nullptr && cpu->version == Version::v1)
    host.cpu_bandwidth = sys::exists(cpu->mount + "/cpu.cfs_quota_us");
}

void read_devices(Host& host, const std::vector<DeviceRate>& rates) {
  for (const DeviceRate& rate : rates) {
    const auto number = device_number(rate.device);
    if (!number) continue;
    const std::string entry = "/sys/dev/block/" + *number;
    if (sys::exists(entry + "/partition"))
      throw Error::refused(rate.device, "it is a partition, and the kernel throttles whole disks only",
                           "name the disk that it is on (lsblk shows it)");
    host.devices[rate.device] = *number;
  }
}

}  // namespace

std::optional<std::string> device_number(const std::string& device) {
  const auto colon = device.find(':');
  if (!device.starts_with("/") && colon != std::string::npos)
    return sys::exists("/sys/dev/block/" + device) ? std::optional(device) : std::nullopt;
  try {
    const struct stat info = sys::fstat(sys::open(device, O_PATH));
    if (!S_ISBLK(info.st_mode)) return std::nullopt;
    return std::to_string(major(info.st_rdev)) + ":" + std::to_string(minor(info.st_rdev));
  } catch (const Error&) {
    return std::nullopt;
  }
}

Host read_host(const Layout& layout, const Limits& limits) {
  Host host;
  if (limits.memory || limits.memory_swap) read_swap(host, layout);
  if (limits.cpus || limits.cpuset_cpus) read_cpu(host, layout);
  if (limits.blkio_weight) read_weight(host, layout);
  for (const auto* rates : {&limits.read_bps, &limits.write_bps, &limits.read_iops, &limits.write_iops})
    read_devices(host, *rates);
  return host;
}

}  // namespace drydock::cgroups
