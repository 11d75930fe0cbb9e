#include "container/launches.hpp"

#include <sys/resource.h>

#include <cstdlib>
#include <iostream>

#include <drydock/container/directories.hpp>

namespace drydock::test {

bool full_sweeps() {
  const char* wish = std::getenv("DRYDOCK_FULL");
  return wish != nullptr && std::string(wish) == "1";
}

unsigned announced_seed(const std::string& of) {
  const char* given = std::getenv("DRYDOCK_SEED");
  const unsigned seed = given != nullptr ? static_cast<unsigned>(std::stoul(given)) : static_cast<unsigned>(sys::monotonic_ns() / 1000);
  std::cout << of << ": DRYDOCK_SEED=" << seed << std::endl;
  return seed;
}

container::Spec plain_spec(Words command) {
  container::Spec spec;
  spec.image = "busybox";
  spec.command = std::move(command);
  spec.remove = true;
  spec.hostname = "swept";  // the default is made of the id, and each launch has another one
  spec.network.mode = container::NetworkMode::none;
  return spec;
}

container::Spec full_container() {
  container::Spec spec = plain_spec({"true"});
  spec.name = "swept";
  spec.limits.memory = 64 << 20;
  spec.limits.pids = 32;
  spec.limits.cpus = 0.5;
  spec.network.mode = container::NetworkMode::bridge;
  spec.network.ports.push_back({"", 18099, 80, false});
  spec.security.ulimits.push_back({RLIMIT_NOFILE, 256, 512});
  container::MountSpec bind, volume, scratch;
  bind.source = "/usr";
  bind.target = "/host-usr";
  bind.read_only = true;
  volume.type = container::MountType::volume;
  volume.target = "/data";
  scratch.type = container::MountType::tmpfs;
  scratch.target = "/scratch";
  scratch.tmpfs_size = 1 << 20;
  spec.mounts = {bind, volume, scratch};
  return spec;
}

container::Spec mapped_container() {
  container::Spec spec = full_container();
  spec.userns.enabled = true;
  spec.network.ports.clear();
  return spec;
}

container::Spec slirp_container() {
  container::Spec spec = full_container();
  spec.userns.enabled = true;
  spec.network.mode = container::NetworkMode::slirp;
  return spec;
}

container::Spec terminal_container() {
  container::Spec spec = plain_spec({"true"});
  spec.terminal = true;
  return spec;
}

container::Spec detached_container() {
  container::Spec spec = plain_spec({"true"});
  spec.detach = spec.interactive = spec.init = spec.read_only = true;
  spec.user = "1000:1000";
  spec.security.no_new_privileges = true;
  return spec;
}

Prepared prepare(Host& host, const container::Spec& spec, const std::string& id, int linger_ms) {
  const container::Paths paths = host.engine().paths();
  Fd directories = container::prepare_directories(paths);
  container::Host machine = container::read_host(spec, paths, {id, std::nullopt, false});
  machine.linger_ms = linger_ms;
  container::ContainerPlan made = container::container_plan(spec, machine);
  return {std::move(machine), std::move(made), std::move(directories)};
}

void end_lease(Host& host, const std::string& id) {
  network::Pool pool(host.engine().paths().state, network::BridgeConfig{});
  pool.end(id);
  pool.release_if_idle();
}

Attempt launch_prepared(Host& host, Prepared& prepared) {
  Attempt attempt;
  attempt.id = prepared.host.id;
  try {
    plan::Launch launch =
        plan::Launch::start(prepared.made.plan, prepared.made.settings, host.engine().paths().monitor, prepared.host.ledgers);
    launch.wait_started();
    attempt.exit_code = launch.wait_exited();
  } catch (const Error& error) {
    attempt.failure = error;
  }
  return attempt;
}

Attempt launch_on(Host& host, const container::Spec& spec, const std::string& inject, std::string id) {
  if (id.empty()) id = sys::random_hex(64);
  Prepared prepared = prepare(host, spec, id);
  prepared.made.settings.inject = inject;
  return launch_prepared(host, prepared);
}

}  // namespace drydock::test
