// exec: a plan of its own, with a joiner lane, in the namespaces and groups of a running container.
#include <fcntl.h>
#include <linux/sched.h>

#include <cerrno>

#include <nlohmann/json.hpp>

#include <drydock/cgroups/device_rules.hpp>
#include <drydock/cgroups/steps.hpp>
#include <drydock/container/directories.hpp>
#include <drydock/container/engine.hpp>
#include <drydock/container/host.hpp>
#include <drydock/container/program.hpp>
#include <drydock/kernel/error.hpp>
#include <drydock/kernel/sys.hpp>
#include <drydock/namespaces/join.hpp>
#include <drydock/process/terminal.hpp>
#include <drydock/process/wait.hpp>
#include <drydock/security/capabilities.hpp>
#include <drydock/security/seccomp.hpp>

namespace drydock::container {

using namespace plan;

namespace {

std::vector<namespaces::Kind> kinds_of(const Spec& spec) {
  using namespaces::Kind;
  std::vector<Kind> kinds{Kind::mnt, Kind::pid, Kind::uts, Kind::ipc, Kind::cgroup};
  if (spec.network.mode != NetworkMode::host) kinds.push_back(Kind::net);
  if (spec.userns.enabled) kinds.push_back(Kind::user);
  return kinds;
}

Settings exec_settings(const Record& target, const Host& host, const Stdio& stdio, Slot child, const ExecSpec& spec) {
  Settings settings;
  settings.id = host.id;
  settings.name = "exec in " + target.name;
  settings.annotation = nlohmann::json{{"exec", target.id}, {"command", spec.command}}.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  settings.flags = wire::flag_exec | (spec.detach ? wire::flag_detached : 0u) | (spec.terminal ? wire::flag_terminal : 0u);
  settings.ledger_path = host.ledgers + "/" + host.id;
  settings.exec_step = "exec";
  settings.payload = child;
  settings.input = stdio.input_write;
  settings.output = stdio.output_read;
  settings.error = stdio.error_read;
  settings.terminal = stdio.terminal;
  return settings;
}

// The container's root may be somebody else by now: its devpts is opened where the payload already stands.
void add_exec_terminal(Plan& made, Stdio& stdio, bool detached, const Host& host) {
  const Slot devpts = made.slot("devpts", SlotKind::fd);
  made.payload("devpts", ops::open("/dev/pts", O_PATH | O_DIRECTORY | O_NOFOLLOW)).into(devpts).on("/dev/pts").why("the container's own terminals");
  add_terminal(made, stdio, devpts, {}, detached, host.rows, host.columns);
}

}  // namespace

ContainerPlan exec_plan(const Record& target, const ExecSpec& spec, const Host& host) {
  ContainerPlan out;
  Plan& made = out.plan;
  const std::string who = "container '" + target.name + "'";
  const std::string path = host.ledgers + "/" + host.id;
  made.monitor("ledger", ops::linkat({}, path)).undo(ops::unlink(path), UndoAt::remove).on("ledger " + path).why("from here on everything that is made is on record");
  const Slot target_fd = made.slot("target", SlotKind::fd);
  made.monitor("target", ops::pidfd_open_checked(target.pid, static_cast<std::int64_t>(target.pid_start))).into(target_fd).on(who).why("a pid may be reused, a descriptor is not");
  Stdio stdio;
  const bool pipes = spec.detach && !spec.terminal;
  if (pipes) stdio = add_detached_pipes(made, spec.interactive);
  const cgroups::JoinPlan join = cgroups::add_join_steps(made, host.layout, target.cgroups, Lane::joiner);
  const Slot joiner = made.slot("joiner", SlotKind::pid);
  made.slot("joiner_fd", SlotKind::fd);
  made.monitor("joiner", ops::fork_lane(Lane::joiner)).into(joiner).on(who).why("a process that may be spent: it enters, and its child is the program");
  if (pipes) add_close_pipe_ends(made, stdio, spec.interactive);
  std::vector<namespaces::Kind> kinds = kinds_of(target.spec);
  // A cgroup namespace is joined by the child: on a tree mounted with nsdelegate (as systemd does) no process may be born into a
  // group from inside a cgroup namespace that its own group is not in (ENOENT).
  const bool cgroup_namespace = std::erase(kinds, namespaces::Kind::cgroup) > 0;
  namespaces::add_join_steps(made, Lane::joiner, target_fd, kinds);
  const Slot child = made.slot("child", SlotKind::pid);
  made.slot("child_fd", SlotKind::fd);
  made.joiner("clone", ops::clone3(CLONE_PARENT, join.cgroup2, Lane::payload)).into(child).on(who).why("only a child is in the joined pid namespace; CLONE_PARENT makes it the monitor's");
  const Slot watch = made.slot("watch", SlotKind::fd);
  made.monitor("watch", ops::pidfd_open(child)).into(watch).on(who).why("the monitor waits for the program, not for the joiner");
  made.payload("die_with_monitor", ops::die_with_parent()).on(who).why("nobody is left behind when the monitor is killed");
  if (cgroup_namespace)
    made.payload("cgroup_namespace", ops::setns(target_fd, CLONE_NEWCGROUP)).on(who).why("its groups begin at the container's; not before the birth in one of them (nsdelegate)");
  if (target.spec.userns.enabled) {
    made.payload("userns.gid", ops::setresgid(0)).on("user namespace").why("root of the container, before the wanted user");
    made.payload("userns.uid", ops::setresuid(0)).on("user namespace").why("root of the container, before the wanted user");
  }
  const Slot root = made.slot("root", SlotKind::fd);
  made.payload("root", ops::open("/", O_PATH | O_DIRECTORY)).into(root).on("/").why("the container's root, where users and directories are looked up");
  if (spec.terminal) add_exec_terminal(made, stdio, spec.detach, host);
  add_stdio(made, stdio, spec.terminal, spec.detach, spec.interactive);
  Program program;
  program.argv = out.command = spec.command;
  std::vector<std::string> env = host.image.config.env;
  env.insert(env.end(), target.spec.env.begin(), target.spec.env.end());
  program.env = environment_of(env, spec.env, target.spec.hostname.empty() ? target.id.substr(0, 12) : target.spec.hostname, spec.terminal);
  program.working_directory = !spec.working_directory.empty() ? spec.working_directory : target.spec.working_directory;
  if (program.working_directory.empty()) program.working_directory = host.image.config.working_directory.empty() ? "/" : host.image.config.working_directory;
  program.user = !spec.user.empty() ? spec.user : !target.spec.user.empty() ? target.spec.user : host.image.config.user;
  program.security = target.spec.security;
  program.security.privileged = program.security.privileged || spec.privileged;
  program.security.ulimits.clear();
  program.make_directory = false;
  add_program(made, program, root, host);
  out.settings = exec_settings(target, host, stdio, child, spec);
  return out;
}

namespace {

Host read_exec_host(const Record& target, const ExecSpec& spec, const Paths& paths) {
  Host host;
  host.id = sys::random_hex(64);
  host.paths = paths;
  host.ledgers = host_directory(paths) + "/ledgers";
  host.layout = cgroups::read_manageable_layout();
  host.capabilities = target.spec.userns.enabled ? security::all_capabilities() : security::available_capabilities();
  const image::Store store(paths.data);
  if (store.contains(target.spec.image)) host.image = store.find(target.spec.image);  // removed meanwhile: its defaults are gone
  const SecuritySpec& security = target.spec.security;
  if (!security.privileged && !spec.privileged) {
    const auto kept = security::choose_capabilities({security.cap_add, security.cap_drop, false, cgroups::devices_guarded(host.layout)}, host.capabilities);
    host.seccomp_program = security::seccomp_program({security.seccomp, kept.mask}, paths.data + "/cache").bytes;
  }
  if (spec.terminal)
    if (const auto size = process::window_size(0)) host.rows = size->rows, host.columns = size->columns;
  return host;
}

// True when the container has ended, or does so in this moment: pid 1 waits for all others of its namespace, ours too.
bool has_ended(const Record& target, int patience_ms) {
  try {
    const Fd pidfd = sys::pidfd_open(target.pid);
    return sys::start_time(target.pid) != target.pid_start || process::wait_ended(pidfd, patience_ms);
  } catch (const Error& error) {
    return error.code() == ESRCH;
  }
}

// Whatever step a container's end or freeze makes fail: the answer is about the container.
Fd started_in(const Record& target, Launch& launch, const RunOptions& options, const process::SignalFd* signals) {
  constexpr int ending_ms = 200;
  try {
    return wait_started(launch, options, signals, [&] {
      if (options.while_starting) options.while_starting();
      if (is_frozen(target)) throw frozen(target);
    });
  } catch (const Error& error) {
    const bool died = error.code() == ECHILD || error.code() == ESRCH || error.code() == ENODEV || error.code() == ENOENT;
    if (error.call().starts_with("exec") || !has_ended(target, died ? ending_ms : 0)) throw;
    throw Error::refused("container '" + target.name + "'", "it ended before the program could start in it", "see 'drydock ps -a'");
  }
}

Record target_of(const Engine& engine, const std::string& container, const ExecSpec& spec) {
  Record target = engine.find(container);
  if (spec.command.empty()) throw Error::refused("exec in '" + target.name + "'", "no program is named", "for example drydock exec " + target.name + " sh");
  if (target.status == Status::frozen) throw frozen(target);
  if (target.status != Status::running) throw Error::refused("container '" + target.name + "'", "it is not running", "see 'drydock ps -a'");
  return target;
}

Launch hand_over(const Record& target, const ExecSpec& spec, const RunOptions& options, const Paths& paths, HeldSignals* signals) {
  Host host = read_exec_host(target, spec, paths);
  // A process may be born into a group only from below a group that is its user's: a login beside that part has no way in.
  if (!target.cgroups.empty() && !host.layout.restriction.empty())
    throw Error::refused("exec in '" + target.name + "'", "it has control groups, and " + host.layout.restriction, host.layout.way_out);
  IdleMonitor monitor(paths.monitor, host.id, options.streams);
  ContainerPlan made = exec_plan(target, spec, host);
  if (options.explain) made.settings.flags |= wire::flag_explain;
  made.settings.inject = options.inject;
  if (signals != nullptr && !spec.detach && !options.explain) signals->emplace(process::forwardable_signals());
  return Launch::start(std::move(made.plan), made.settings, std::move(monitor), host_directory(paths) + "/ledgers");
}

}  // namespace

Started Engine::start_exec(const std::string& container, const ExecSpec& spec, const RunOptions& options) {
  const Record target = target_of(*this, container, spec);
  Launch launch = hand_over(target, spec, options, paths_, nullptr);
  started_in(target, launch, options, nullptr);
  return {launch.ledger().header().id, {}, std::move(launch)};
}

int Engine::exec(const std::string& container, const ExecSpec& spec, const RunOptions& options) {
  const Record target = target_of(*this, container, spec);
  HeldSignals signals;
  Launch launch = hand_over(target, spec, options, paths_, &signals);
  Fd terminal = started_in(target, launch, options, signals ? &*signals : nullptr);
  if (spec.detach) {
    report(launch, options);
    return 0;
  }
  if (!signals) signals.emplace(process::forwardable_signals());
  const ForegroundEnd end = foreground(launch, *signals, std::move(terminal), spec.interactive);
  report(launch, options);
  return end.exit_code;
}

}  // namespace drydock::container
