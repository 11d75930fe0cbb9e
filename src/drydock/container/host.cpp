#include <drydock/container/host.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <charconv>

#include <drydock/cgroups/device_rules.hpp>
#include <drydock/cgroups/host.hpp>
#include <drydock/container/directories.hpp>
#include <drydock/kernel/error.hpp>
#include <drydock/kernel/sys.hpp>
#include <drydock/network/pool.hpp>
#include <drydock/network/ports.hpp>
#include <drydock/network/slirp.hpp>
#include <drydock/process/terminal.hpp>
#include <drydock/security/capabilities.hpp>
#include <drydock/security/rlimits.hpp>
#include <drydock/security/seccomp.hpp>

namespace drydock::container {

bool kernel_at_least(int major, int minor) {
  utsname name;
  ::uname(&name);
  int have_major = 0, have_minor = 0;
  const std::string release = name.release;
  const auto [end, error] = std::from_chars(release.data(), release.data() + release.size(), have_major);
  if (error != std::errc{} || *end != '.') return false;
  std::from_chars(end + 1, release.data() + release.size(), have_minor);
  return have_major > major || (have_major == major && have_minor >= minor);
}

namespace {

std::map<std::string, bool> bind_sources(const Spec& spec) {
  std::map<std::string, bool> kinds;
  for (const MountSpec& mount : spec.mounts) {
    if (mount.type != MountType::bind) continue;
    struct stat status;
    // Follows a link, as open_tree will: the source is the user's own path on the host.
    if (::stat(mount.source.c_str(), &status) != 0)
      throw Error::refused("mount source '" + mount.source + "'", "there is no such file or directory on this machine", "create it first, or use a named volume (-v NAME:" + mount.target + ")");
    kinds[mount.source] = !S_ISDIR(status.st_mode);
  }
  return kinds;
}

void read_network(Host& host, const Spec& spec, const HostRequest& request) {
  if (spec.network.mode == NetworkMode::slirp) host.address = network::slirp_address;
  if (spec.network.mode != NetworkMode::bridge) return;
  network::Pool pool(network::Pool::HostDirectory{host_directory(host.paths)}, host.bridge);
  if (request.dry) {
    host.address = host.bridge.subnet.address(2);
    if (spec.network.address) host.address = network::Ipv4::parse(*spec.network.address);
    return;
  }
  std::optional<network::Ipv4> wanted;
  if (spec.network.address) {
    wanted = network::Ipv4::parse(*spec.network.address);
    if (!wanted) throw Error::refused("--ip " + *spec.network.address, "it is no IPv4 address", "for example --ip " + host.bridge.subnet.address(10).text());
  }
  host.address = pool.lease(host.id, network::veth_name(host.id), wanted);
  try {
    host.network = network::inspect_host(host.bridge);
  } catch (...) {
    pool.end(host.id);
    pool.release_if_idle();
    throw;
  }
}

}  // namespace

Host read_host(const Spec& spec, const Paths& paths, const HostRequest& request) {
  Host host;
  host.id = request.id;
  host.paths = paths;
  host.peer = request.peer;
  host.ledgers = host_directory(paths) + "/ledgers";
  host.pool = host_directory(paths) + "/addresses";
  host.euid = sys::geteuid();
  host.egid = static_cast<unsigned>(::getegid());
  host.image = request.image ? *request.image : image::Store(paths.data).find(spec.image);
  host.layout = cgroups::read_manageable_layout();
  host.limits = cgroups::read_host(host.layout, spec.limits);
  cgroups::validate(spec.limits, host.limits);
  host.capabilities = security::available_capabilities();
  // A new user namespace begins with every capability in its bounding set, whatever the caller has.
  if (spec.userns.enabled || (request.dry && host.capabilities == 0)) host.capabilities = security::all_capabilities();
  for (const UlimitSpec& limit : spec.security.ulimits) host.hard_limits.push_back(security::hard_limit(limit.resource));
  host.source_is_file = bind_sources(spec);
  if (spec.userns.enabled) {
    host.default_maps = namespaces::default_maps_of(host.euid, host.egid);
    host.subuids = namespaces::granted_subuids(host.euid);
    host.subgids = namespaces::granted_subgids(host.euid);
  }
  host.appended_layers = kernel_at_least(6, 7);
  host.mapped_layers = kernel_at_least(5, 19);
  host.layers_by_descriptor = kernel_at_least(6, 13);
  host.resolv_conf = sys::read_file_if_present("/etc/resolv.conf").value_or("");
  if (!spec.security.privileged) {
    const auto kept = security::choose_capabilities({spec.security.cap_add, spec.security.cap_drop, false, cgroups::devices_guarded(host.layout)}, host.capabilities);
    host.seccomp_program = security::seccomp_program({spec.security.seccomp, kept.mask}, request.dry ? "" : paths.data + "/cache").bytes;
  }
  if (spec.terminal)
    if (const auto size = process::window_size(0)) host.rows = size->rows, host.columns = size->columns;
  read_network(host, spec, request);  // last: the lease is the first thing that others see
  return host;
}

}  // namespace drydock::container
