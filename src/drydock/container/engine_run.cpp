// Starting containers: run, plan, and the foreground.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>

#include <drydock/container/directories.hpp>
#include <drydock/container/engine.hpp>
#include <drydock/container/host.hpp>
#include <drydock/container/rootless.hpp>
#include <drydock/kernel/error.hpp>
#include <drydock/kernel/sys.hpp>
#include <drydock/namespaces/permission.hpp>
#include <drydock/network/pool.hpp>
#include <drydock/network/ports.hpp>
#include <drydock/network/slirp.hpp>
#include <drydock/process/signals.hpp>

namespace drydock::container {

Engine::Engine(Paths paths) : paths_(std::move(paths)) {}

namespace {

// VOLUME lines of the image become anonymous volumes where the user mounts nothing.
void add_image_volumes(Spec& spec, const image::Config& config) {
  for (const std::string& target : config.volumes) {
    const auto taken = [&](const MountSpec& mount) { return mount.target == target; };
    if (std::none_of(spec.mounts.begin(), spec.mounts.end(), taken)) {
      MountSpec mount;
      mount.type = MountType::volume;
      mount.target = target;
      spec.mounts.push_back(mount);
    }
  }
}

void choose_ports(Spec& spec) {
  for (PortSpec& port : spec.network.ports)
    if (port.host_port == 0) port.host_port = network::free_port(port.host_address, port.udp);
}

std::string made_up_name(const std::string& id) {
  constexpr std::array<const char*, 16> first = {"brave", "calm", "clever", "eager", "gentle", "happy", "jolly", "keen", "lucky", "mellow", "nimble", "proud", "quiet", "swift", "tidy", "witty"};
  constexpr std::array<const char*, 16> second = {"anchor", "barge", "beacon", "bosun", "buoy", "capstan", "clipper", "cutter", "dinghy", "ferry", "harbour", "keel", "lugger", "mast", "rudder", "sloop"};
  const auto digit = [&](std::size_t at) { return static_cast<std::size_t>(std::stoi(id.substr(at, 1), nullptr, 16)); };
  return std::string(first[digit(0)]) + "_" + second[digit(1)] + "_" + id.substr(2, 4);
}

void check(const Spec& spec) {
  if (spec.image.empty()) throw Error::refused("image ''", "no image is named", "for example drydock run busybox sh");
  if (spec.hostname.size() > 64) throw Error::refused("hostname '" + spec.hostname + "'", "it is longer than 64 bytes", "choose a shorter --hostname");
  if (!spec.network.ports.empty() && spec.network.mode != NetworkMode::bridge && spec.network.mode != NetworkMode::slirp)
    throw Error::refused("-p", "ports can be published from the bridge network and by slirp4netns only", "leave out --network, or -p");
  if (spec.network.address && spec.network.mode != NetworkMode::bridge)
    throw Error::refused("--ip", "only the bridge network gives addresses", "leave out --network, or --ip");
}

void ensure_volumes(const Spec& spec, const Paths& paths) {
  for (const MountSpec& mount : spec.mounts)
    if (mount.type == MountType::volume && !mount.source.empty()) sys::mkdirs(paths.data + "/volumes/" + mount.source, 0755);
}

}  // namespace

plan::Plan Engine::plan(const Spec& asked) const {
  check(asked);
  Spec spec = asked;  // as root would run it: --plan shows that to everybody
  std::optional<Peer> peer;
  if (spec.network.mode == NetworkMode::container) {
    const Record other = find(spec.network.peer);
    peer = Peer{other.pid, other.pid_start};
  }
  const std::string id(64, '0');
  if (spec.name.empty()) spec.name = made_up_name(id);
  const Host host = read_host(spec, paths_, {id, peer, true, find_image(spec, paths_)});
  add_image_volumes(spec, host.image.config);
  return container_plan(spec, host).plan;
}

namespace {

Peer running_peer(const Engine& engine, const std::string& name) {
  const Record record = engine.find(name);
  if (record.status != Status::running && record.status != Status::frozen)
    throw Error::refused("container '" + name + "'", "it is not running, so it has no network to share", "start it first; see 'drydock ps -a'");
  return Peer{record.pid, record.pid_start};
}

// Until the program runs, the caller answers for the address: a caller that lives on after a failure must not keep it.
class LeaseGuard {
 public:
  explicit LeaseGuard(const Host& host) : id_(host.id) {
    if (host.address) pool_.emplace(network::Pool::HostDirectory{host_directory(host.paths)}, host.bridge);
  }
  ~LeaseGuard() {
    if (!pool_) return;
    try {
      pool_->end(id_);
      pool_->release_if_idle();
    } catch (const Error&) {
      // The next command does it: a lease without process, ledger and link is free.
    }
  }
  LeaseGuard(const LeaseGuard&) = delete;
  LeaseGuard& operator=(const LeaseGuard&) = delete;
  void keep() { pool_.reset(); }

 private:
  std::string id_;
  std::optional<network::Pool> pool_;
};

void answer_for_lease(const plan::IdleMonitor& monitor, const Paths& paths, const std::string& id) {
  const network::Pool pool(network::Pool::HostDirectory{host_directory(paths)}, network::BridgeConfig{});
  monitor.answer_for(pool.path(), pool.ledgers(), network::teardown(pool.config(), id).data);
}

// The kernel's errno does not say which setting of the machine forbade a user namespace.
Error with_setting(const Error& error, const Spec& spec) {
  const bool likely = error.code() == EPERM || error.code() == EACCES || error.code() == ENOSPC || error.code() == EUSERS;
  const auto closed = spec.userns.enabled && likely ? namespaces::closed_by(sys::geteuid(), namespaces::read_settings()) : std::nullopt;
  if (!closed) return error;
  Error::Parts parts = error.parts();
  parts.reason = "user namespaces are closed: " + closed->found();
  parts.remedy = closed->remedy();
  return Error(std::move(parts));
}

plan::Settings with_options(plan::Settings settings, const RunOptions& options, const Spec& spec) {
  if (options.explain) settings.flags |= plan::wire::flag_explain;
  // Only a monitor with a bridge to look after outlives the end: starting another process for that costs a quarter of a millisecond.
  if (options.parting && !spec.detach && spec.network.mode == NetworkMode::bridge) settings.flags |= plan::wire::flag_parting;
  settings.inject = options.inject;
  return settings;
}

// Up to the point where the plan is handed over.
struct Handed {
  std::unique_ptr<LeaseGuard> lease;
  Fd directories, layers;  // held until the ledger is among the ones and names the others
  std::vector<std::string> warnings;
  Spec spec;            // as it is run
  plan::Launch launch;  // last: a start that fails is undone before the lease ends
};

Handed hand_over(Engine& engine, const Spec& asked, const RunOptions& options, HeldSignals* signals) {
  check(asked);
  const Paths& paths = engine.paths();
  std::vector<std::string> warnings;
  Spec spec = sys::geteuid() == 0 ? asked : rootless(asked, network::look_for_slirp(), warnings);
  const std::string id = sys::random_hex(64);
  plan::IdleMonitor monitor(paths.monitor, id, options.streams);
  Fd directories = prepare_directories(paths);
  Fd layers = image::Store(paths.data).hold();
  image::Image image = find_image(spec, paths);
  const bool named = !spec.name.empty();
  if (!named) spec.name = made_up_name(id);
  std::optional<Peer> peer;
  if (spec.network.mode == NetworkMode::container) peer = running_peer(engine, spec.network.peer);
  choose_ports(spec);
  ensure_volumes(spec, paths);
  if (spec.network.mode == NetworkMode::bridge) answer_for_lease(monitor, paths, id);
  const Host host = read_host(spec, paths, {id, peer, false, std::move(image)});
  add_image_volumes(spec, host.image.config);
  auto lease = std::make_unique<LeaseGuard>(host);
  ContainerPlan made = container_plan(spec, host);
  warnings.insert(warnings.end(), made.plan.warnings.begin(), made.plan.warnings.end());
  if (options.on_warning)
    for (const std::string& warning : warnings) options.on_warning(warning);
  // --explain reads the keyboard before the program runs and must be interruptible.
  if (signals != nullptr && !spec.detach && !options.explain) signals->emplace(process::forwardable_signals());
  plan::Launch launch = plan::Launch::start(std::move(made.plan), with_options(made.settings, options, spec), std::move(monitor), host.ledgers);
  return {std::move(lease), std::move(directories), std::move(layers), std::move(warnings), std::move(spec), std::move(launch)};
}

std::string id_of(plan::Launch& launch) {
  return launch.ledger().header().id;
}

}  // namespace

Started Engine::start(const Spec& spec, const RunOptions& options) {
  Handed handed = hand_over(*this, spec, options, nullptr);
  try {
    wait_started(handed.launch, options, nullptr, options.while_starting);
  } catch (const Error& error) {
    throw with_setting(error, handed.spec);
  }
  handed.lease->keep();
  return {id_of(handed.launch), std::move(handed.warnings), std::move(handed.launch)};
}

Outcome Engine::run(const Spec& spec, const RunOptions& options) {
  // A trace that cannot be written is known before there is something to trace.
  if (!options.trace_path.empty()) sys::open(options.trace_path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  HeldSignals held;
  Handed handed = hand_over(*this, spec, options, &held);
  plan::Launch& launch = handed.launch;
  Outcome outcome{id_of(launch), 0, false, std::move(handed.warnings)};
  Fd terminal;
  try {
    terminal = wait_started(launch, options, held ? &*held : nullptr);
  } catch (const Error& error) {
    report(launch, options);
    throw with_setting(error, handed.spec);
  }
  handed.lease->keep();
  handed.directories.reset();
  handed.layers.reset();
  if (options.trace_path.empty() && !options.timeline) launch.forget_plan();
  if (spec.detach) {
    report(launch, options);
    return outcome;
  }
  if (!held) held.emplace(process::forwardable_signals());
  const ForegroundEnd end = foreground(launch, *held, std::move(terminal), spec.interactive);
  outcome.exit_code = end.exit_code;
  outcome.out_of_memory = launch.ledger().header().out_of_memory != 0;
  report(launch, options);
  return outcome;
}

}  // namespace drydock::container
