// A machine made by hand for tests of container_plan(): nothing is read from the one that the test runs on.
//
// Example: Spec spec = full_spec(); Host host = hybrid_host(); std::string text = plan::print(container_plan(spec, host).plan);
// Source: container/plan.hpp.
#pragma once

#include <sys/resource.h>

#include <string>

#include <drydock/container/plan.hpp>
#include <drydock/security/capabilities.hpp>

namespace drydock::test {

inline cgroups::Layout hybrid_layout() {
  cgroups::Layout layout;
  layout.shape = cgroups::Shape::hybrid;
  for (const char* name : {"blkio", "cpu", "cpuacct", "cpuset", "devices", "freezer", "memory", "pids"})
    layout.places.push_back({name, cgroups::Version::v1, std::string("/sys/fs/cgroup/") + name});
  layout.cgroup2 = "/sys/fs/cgroup/unified";
  layout.self_cgroup2 = "/";
  return layout;
}

inline cgroups::Layout v2_layout() {
  cgroups::Layout layout;
  layout.shape = cgroups::Shape::v2;
  for (const char* name : {"cpu", "cpuset", "io", "memory", "pids"})
    layout.places.push_back({name, cgroups::Version::v2, "/sys/fs/cgroup"});
  layout.cgroup2 = "/sys/fs/cgroup";
  layout.self_cgroup2 = "/user.slice";
  layout.device_programs = true;
  return layout;
}

inline container::Host host_with(cgroups::Layout layout) {
  container::Host host;
  host.id = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
  host.paths = {"/var/lib/drydock", "/run/drydock", "/usr/libexec/drydock/drydock-monitor"};
  host.ledgers = "/run/drydock/net-1/ledgers";
  host.pool = "/run/drydock/net-1/addresses";
  host.image.reference = "busybox:latest";
  host.image.layers = {"/var/lib/drydock/layers/aaaa", "/var/lib/drydock/layers/bbbb"};
  host.image.config.command = {"sh"};
  host.image.config.env = {"PATH=/bin:/usr/bin"};
  host.layout = std::move(layout);
  host.limits.cpus = {0, 1};
  host.address = host.bridge.subnet.address(2);
  host.capabilities = security::all_capabilities();
  host.hard_limits = {4096};  // of the one rlimit of full_spec()
  host.seccomp_program = std::string(16, '\0');
  host.resolv_conf = "nameserver 192.0.2.1\n";
  host.default_maps = {{{0, 100000, 65536}}, {{0, 100000, 65536}}};
  return host;
}

inline container::Host hybrid_host() {
  return host_with(hybrid_layout());
}

inline container::Host v2_host() {
  return host_with(v2_layout());
}

// A bit of everything that a foreground container may ask for.
inline container::Spec full_spec() {
  container::Spec spec;
  spec.image = "busybox";
  spec.name = "golden";
  spec.command = {"httpd", "-f"};
  spec.remove = true;
  spec.limits.memory = 64 << 20;
  spec.limits.pids = 32;
  spec.limits.cpus = 0.5;
  spec.network.ports.push_back({"", 18080, 80, false});
  spec.security.ulimits.push_back({RLIMIT_NOFILE, 256, 512});
  container::MountSpec volume, scratch;
  volume.type = container::MountType::volume;
  volume.source = "data";
  volume.target = "/data";
  volume.read_only = true;
  scratch.type = container::MountType::tmpfs;
  scratch.target = "/scratch";
  scratch.tmpfs_size = 1 << 20;
  spec.mounts = {volume, scratch};
  return spec;
}

// Everything else: detached, with a terminal, in a user namespace, without a network.
inline container::Spec other_spec() {
  container::Spec spec;
  spec.image = "busybox";
  spec.detach = spec.terminal = spec.interactive = spec.init = spec.read_only = true;
  spec.userns.enabled = true;
  spec.user = "1000:1000";
  spec.working_directory = "/work";
  spec.network.mode = container::NetworkMode::none;
  spec.security.no_new_privileges = true;
  return spec;
}

}  // namespace drydock::test
