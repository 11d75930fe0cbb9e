#include <drydock/container/plan.hpp>

#include <fcntl.h>
#include <linux/sched.h>
#include <sys/mount.h>

#include <algorithm>
#include <cerrno>

#include <nlohmann/json.hpp>

#include <drydock/cgroups/steps.hpp>
#include <drydock/container/name_files.hpp>
#include <drydock/container/program.hpp>
#include <drydock/container/user_mounts.hpp>
#include <drydock/container/user_namespace.hpp>
#include <drydock/kernel/error.hpp>
#include <drydock/mounts/rootfs.hpp>
#include <drydock/mounts/system.hpp>
#include <drydock/network/pool.hpp>
#include <drydock/network/ports.hpp>
#include <drydock/network/slirp.hpp>
#include <drydock/overlay/overlay.hpp>
#include <drydock/security/paths.hpp>

namespace drydock::container {

using namespace plan;

namespace {

// How much of the id a name points to: half says whose it is, and a link of less than 60 bytes takes no block of a disk.
constexpr std::size_t short_name = 32;

// Builds one plan; each method adds the steps of one idea. The order of the calls in build() is the order of a start.
class Builder {
 public:
  Builder(const Spec& spec, const Host& host)
      : spec_(spec), host_(host), hostname_(spec.hostname.empty() ? host.id.substr(0, 12) : spec.hostname),
        directory_(host.paths.data + "/containers/" + host.id), upper_(host.paths.data + "/upper/" + host.id),
        work_(host.paths.data + "/work/" + host.id),
        state_(host.ledgers.substr(0, host.ledgers.rfind('/'))), user_mounts_(spec, host, directory_), name_files_(hostname_, spec, host) {}

  ContainerPlan build();

 private:
  bool mapped() const { return spec_.userns.enabled; }
  bool rootless() const { return host_.euid != 0; }
  bool bridged() const { return spec_.network.mode == NetworkMode::bridge; }
  // One directory for all containers: each attaches its root there in a mount namespace of its own.
  std::string root_place() const { return state_ + "/root"; }
  bool slirped() const { return spec_.network.mode == NetworkMode::slirp; }
  bool own_network() const { return bridged() || slirped() || spec_.network.mode == NetworkMode::none; }
  Plan& plan() { return out_.plan; }

  void ledger();
  void listeners();
  Call remove_files(const std::string& path) const;
  void container_files();
  void control_groups();
  void bridge();
  void clone();
  network::ContainerLink container_link() const { return {network::veth_name(host_.id), host_.address.value_or(network::Ipv4{}), child_}; }
  void link();
  void slirp();
  void inner_network();
  void root();
  void mapped_root(const overlay::Stack& stack);
  void attach_groups();
  void become_root_of_user_namespace();
  void system_mounts();
  void names();
  void cgroup_namespace();
  void masks();
  void enter_root();
  void settle();
  std::string annotation() const;

  const Spec& spec_;
  const Host& host_;
  const std::string hostname_, directory_, upper_, work_, state_;
  ContainerPlan out_;
  Stdio stdio_;
  UserMounts user_mounts_;
  NameFiles name_files_;
  Slot child_, root_, peer_, place_;
  StepRef maps_written_, veth_, slirp_;
  namespaces::MapWriter map_writer_ = namespaces::MapWriter::parent;
  cgroups::GroupPlan group_;
  network::Bridge bridge_;
  network::Listeners listeners_;
  std::vector<network::PublishedPort> ports_;
  mounts::DeviceMounts devices_;
};

void Builder::ledger() {
  const std::string path = host_.ledgers + "/" + host_.id;
  plan().monitor("ledger", ops::linkat({}, path)).undo(ops::unlink(path), UndoAt::remove).on("ledger " + path).why("from here on everything that is made is on record");
  out_.settings.ledger_path = path;
  if (spec_.name.empty()) return;
  const std::string name = state_ + "/names/" + spec_.name;
  plan().monitor("name", ops::symlinkat(host_.id.substr(0, short_name), {}, name)).undo(ops::unlink(name), UndoAt::remove).on("name '" + spec_.name + "'").why("a name belongs to one container: the kernel refuses a second link");
}

void Builder::listeners() {
  if (!bridged() && !slirped()) return;
  for (const PortSpec& port : spec_.network.ports) ports_.push_back({port.host_address, port.host_port, port.container_port, port.udp});
  if (!ports_.empty()) listeners_ = network::add_port_listeners(plan(), ports_);
}

// With a range of ids a user's container leaves files that the user may not remove: then root of such a namespace does.
Call Builder::remove_files(const std::string& path) const {
  if (!mapped() || writer_of(maps_of(spec_, host_), host_) != namespaces::MapWriter::helper) return ops::remove_tree(path);
  const namespaces::Maps maps = maps_of(spec_, host_);
  return ops::remove_tree_mapped(path, namespaces::map_text(maps.uids), namespaces::map_text(maps.gids));
}

void Builder::container_files() {
  plan().monitor("files", ops::mkdir(upper_, 0755)).undo(remove_files(upper_), UndoAt::remove).on(upper_).why("the writable layer of the overlay");
  plan().monitor("files.work", ops::mkdir(work_, 0755)).undo(remove_files(work_), UndoAt::remove).on(work_).why("the overlay's own, beside the writable layer");
  // On a disk each directory costs a start 0.1 ms, most of it at its end: no third one for a container that writes nothing else.
  const bool kept_apart = spec_.detach || spec_.terminal || user_mounts_.has_anonymous_volumes();
  if (!kept_apart) return;
  plan().monitor("files.own", ops::mkdir(directory_, 0710)).undo(remove_files(directory_), UndoAt::remove).on(directory_).why("the container's own files: its log, its volumes");
  user_mounts_.add_anonymous_volumes(plan());
  if (spec_.detach || spec_.terminal) out_.settings.socket_path = directory_ + "/attach";  // ctrl-p ctrl-q may detach later
  if (!spec_.detach) return;
  plan().monitor("files.log", ops::create_file(directory_ + "/log", "", 0640)).on("log").why("what the container writes");
  out_.settings.log_path = directory_ + "/log";
}

void Builder::control_groups() {
  const cgroups::LimitWrites writes = cgroups::limit_writes(host_.layout, spec_.limits, host_.limits);
  group_ = cgroups::add_group_steps(plan(), host_.layout, host_.id.substr(0, 16), writes, {!spec_.security.privileged});
  out_.cgroups = group_.directories;
  out_.settings.oom_path = cgroups::oom_file(host_.layout, group_.directories);
  out_.settings.oom_key = "oom_kill";
}

void Builder::bridge() {
  if (!bridged()) return;
  const Call release = ops::release_network(host_.pool, host_.ledgers, network::teardown(host_.bridge, host_.id), host_.linger_ms);
  bridge_ = network::add_bridge_steps(plan(), host_.bridge, host_.network, release);
}

void Builder::clone() {
  child_ = plan().slot("child", SlotKind::pid);
  plan().slot("child_fd", SlotKind::fd);
  std::int64_t flags = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID;
  if (own_network()) flags |= CLONE_NEWNET;
  if (mapped()) flags |= CLONE_NEWUSER;
  if (host_.peer) {
    peer_ = plan().slot("peer", SlotKind::fd);
    plan().monitor("peer", ops::pidfd_open_checked(host_.peer->pid, static_cast<std::int64_t>(host_.peer->start))).into(peer_).on("container " + spec_.network.peer).why("a pid may be reused, a descriptor is not");
  }
  plan().monitor("clone", ops::clone3(flags, group_.cgroup2, Lane::payload)).into(child_).on("the container").why("one child, with new views of the machine, limited from birth");
  out_.settings.payload = child_;
  plan().payload("die_with_monitor", ops::die_with_parent()).on("the container").why("nobody is left behind when the monitor is killed");
  if (spec_.network.mode == NetworkMode::container)
    plan().payload("join.network", ops::setns(peer_, CLONE_NEWNET)).on("container " + spec_.network.peer).why("its network, and nothing else of it");
}

void Builder::link() {
  if (!bridged()) return;
  veth_ = network::add_container_link_step(plan(), host_.bridge, bridge_, container_link());
  if (!listeners_.empty() || !ports_.empty())
    network::add_port_steps(plan(), host_.bridge, listeners_, ports_, host_.id.substr(0, 12), host_.address.value_or(network::Ipv4{}), veth_);
}

// The proxy enters the network that the helper made: what is published goes past slirp4netns, from socket to socket.
void Builder::slirp() {
  if (!slirped()) return;
  slirp_ = network::add_slirp_step(plan(), child_, maps_written_);
  const Slot child_fd{static_cast<std::uint16_t>(child_.index + 1)};
  network::add_port_proxy(plan(), listeners_, host_.address.value_or(network::slirp_address), child_fd,
                          CLONE_NEWNET | (mapped() ? CLONE_NEWUSER : 0), slirp_);
}

// As late as may be: the mounts were made while the monitor made the link.
void Builder::inner_network() {
  if (bridged()) network::add_container_address_steps(plan(), host_.bridge, container_link(), veth_);
  if (spec_.network.mode == NetworkMode::none) network::add_loopback_steps(plan());
  if (slirped()) network::add_loopback_steps(plan(), slirp_);
}

void Builder::attach_groups() {
  cgroups::add_attach_steps(plan(), group_, Lane::payload);
}

// The files of the groups belong to the host's root: all joins come before the ids change.
void Builder::become_root_of_user_namespace() {
  if (!mapped()) return;
  cgroups::add_cpu_attach_step(plan(), group_, Lane::payload);
  add_become_root(plan(), maps_written_, map_writer_);
}

void Builder::root() {
  // Without root the layers belong to the user, who is root inside: there is nothing to map.
  const bool id_mapped = mapped() && !rootless();
  overlay::Stack stack{host_.image.layers, upper_, work_, spec_.remove, rootless()};
  if (!id_mapped && !host_.appended_layers) {
    root_ = overlay::add_mounted_overlay(plan(), Lane::payload, stack, root_place());
    return;
  }
  if (id_mapped)
    mapped_root(stack);
  else
    root_ = overlay::add_overlay(plan(), Lane::payload, stack);
  mounts::add_attach_root(plan(), Lane::payload, root_, place_);
}

// Each layer is id-mapped by the container's user namespace, which only the host's side may do.
void Builder::mapped_root(const overlay::Stack& stack) {
  if (!host_.mapped_layers)
    throw Error::refused("--userns", "this kernel cannot stack id-mapped layers (Linux 5.19 can)", "leave out --userns, or use a newer kernel");
  const Slot userns = plan().slot("user_namespace", SlotKind::fd);
  plan().monitor("userns", ops::open_proc_file(child_, "ns/user", O_RDONLY)).into(userns).on("user namespace").why("layers are id-mapped by it");
  root_ = host_.layers_by_descriptor ? overlay::add_mapped_overlay(plan(), Lane::monitor, stack, userns)
                                     : overlay::add_mapped_mounted_overlay(plan(), Lane::monitor, stack, userns, root_place());
}

void Builder::system_mounts() {
  mounts::SystemMounts options;
  options.user_namespace = mapped();
  options.privileged = spec_.security.privileged;
  options.fresh_sysfs = !mapped() || own_network();
  options.terminal = spec_.terminal;
  devices_ = mounts::add_system_mounts(plan(), Lane::payload, root_, options);
}

void Builder::names() {
  plan().payload("hostname", ops::sethostname(hostname_)).on("hostname " + hostname_).why("in the new uts namespace; the host keeps its own");
}

// A cgroup namespace remembers where its first process stands: unshared after the last join.
void Builder::cgroup_namespace() {
  if (!mapped()) cgroups::add_cpu_attach_step(plan(), group_, Lane::payload);
  plan().payload("cgroup.namespace", ops::unshare(CLONE_NEWCGROUP)).on("cgroup namespace").why("after the joins: its own group is the root of what it sees");
  std::vector<mounts::CgroupView> views;
  if (host_.layout.shape == cgroups::Shape::v2) {
    views.push_back({"", ""});
  } else {
    for (const cgroups::Attach& attach : group_.attaches) views.push_back({attach.controllers, attach.controllers.substr(0, attach.controllers.find(','))});
    if (!host_.layout.cgroup2.empty()) views.push_back({"unified", ""});
  }
  mounts::add_cgroup_mounts(plan(), Lane::payload, root_, views, !spec_.security.privileged);
}

void Builder::masks() {
  if (spec_.security.privileged) return;
  const std::vector<std::string> masked(security::masked_paths.begin(), security::masked_paths.end());
  const std::vector<std::string> read_only(security::read_only_paths.begin(), security::read_only_paths.end());
  mounts::add_masks(plan(), Lane::payload, root_, devices_.null_device, masked, read_only);
}

void Builder::enter_root() {
  if (spec_.read_only) mounts::add_read_only_root(plan(), Lane::payload, root_);
  mounts::add_pivot(plan(), Lane::payload, root_);
}

std::string Builder::annotation() const {
  using nlohmann::json;
  const json note{{"image", host_.image.reference}, {"image_id", host_.image.config_digest},
                  {"layers", host_.image.layers},   {"command", out_.command},
                  {"cgroups", out_.cgroups},        {"hostname", hostname_},
                  {"address", host_.address ? host_.address->text() : ""}};
  std::string text = note.dump(-1, ' ', false, json::error_handler_t::replace);
  text.pop_back();
  return text + ",\"spec\":" + to_json(spec_, -1) + "}";
}

void Builder::settle() {
  Settings& settings = out_.settings;
  settings.id = host_.id;
  settings.name = spec_.name;
  settings.linger_ms = host_.linger_ms;
  settings.exec_step = "exec";
  settings.input = stdio_.input_write;
  settings.output = stdio_.output_read;
  settings.error = stdio_.error_read;
  settings.terminal = stdio_.terminal;
  settings.flags = (spec_.remove ? wire::flag_remove : 0u) | (spec_.detach ? wire::flag_detached : 0u) | (spec_.terminal ? wire::flag_terminal : 0u) |
                   (spec_.interactive ? wire::flag_interactive : 0u);
  settings.annotation = annotation();
}

ContainerPlan Builder::build() {
  out_.command = command_of(spec_, host_.image.config);
  ledger();
  listeners();
  container_files();
  if (mapped()) add_upper_owner(plan(), upper_, maps_of(spec_, host_));
  control_groups();
  bridge();
  const bool pipes = spec_.detach && !spec_.terminal;
  if (pipes) stdio_ = add_detached_pipes(plan(), spec_.interactive);
  clone();
  if (pipes) add_close_pipe_ends(plan(), stdio_, spec_.interactive);
  if (mapped()) maps_written_ = add_id_maps(plan(), child_, maps_of(spec_, host_), map_writer_ = writer_of(maps_of(spec_, host_), host_));
  link();
  slirp();
  attach_groups();
  mounts::add_private_propagation(plan(), Lane::payload);
  place_ = mounts::add_root_place(plan(), Lane::payload, root_place());
  user_mounts_.add_sources(plan());
  become_root_of_user_namespace();
  name_files_.add_sources(plan(), place_);
  root();
  system_mounts();
  if (spec_.terminal) add_terminal(plan(), stdio_, devices_.devpts, devices_.dev, spec_.detach, host_.rows, host_.columns);
  user_mounts_.add_targets(plan(), root_);
  name_files_.add_targets(plan(), root_);
  names();
  cgroup_namespace();
  masks();
  enter_root();
  add_stdio(plan(), stdio_, spec_.terminal, spec_.detach, spec_.interactive);
  // As late as may be: all this was done while the monitor made the link, which holds the lock of all links.
  inner_network();
  Program program;
  program.argv = out_.command;
  program.env = environment_of(host_.image.config.env, spec_.env, hostname_, spec_.terminal);
  program.working_directory = !spec_.working_directory.empty() ? spec_.working_directory : host_.image.config.working_directory;
  if (program.working_directory.empty()) program.working_directory = "/";
  program.user = !spec_.user.empty() ? spec_.user : host_.image.config.user;
  program.security = spec_.security;
  program.init = spec_.init;
  add_program(plan(), program, root_, host_);
  settle();
  return std::move(out_);
}

}  // namespace

ContainerPlan container_plan(const Spec& spec, const Host& host) {
  return Builder(spec, host).build();
}

}  // namespace drydock::container
