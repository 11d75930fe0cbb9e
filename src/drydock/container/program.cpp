#include <drydock/container/program.hpp>

#include <fcntl.h>
#include <algorithm>
#include <cerrno>
#include <string>

#include <drydock/cgroups/device_rules.hpp>
#include <drydock/kernel/error.hpp>
#include <drydock/security/capabilities.hpp>
#include <drydock/security/rlimits.hpp>

namespace drydock::container {

using namespace plan;

std::vector<std::string> command_of(const Spec& spec, const image::Config& config) {
  std::vector<std::string> argv = spec.entrypoint ? *spec.entrypoint : config.entrypoint;
  // A new entrypoint makes the image's command meaningless, as in Docker.
  const std::vector<std::string>& rest = !spec.command.empty() ? spec.command : spec.entrypoint ? spec.command : config.command;
  argv.insert(argv.end(), rest.begin(), rest.end());
  if (argv.empty()) throw Error::refused("image '" + spec.image + "'", "it names no program, and none was given", "write the program behind the image: drydock run " + spec.image + " sh");
  return argv;
}

std::vector<std::string> environment_of(const std::vector<std::string>& image, const std::vector<std::string>& user, const std::string& hostname, bool terminal) {
  std::vector<std::string> env{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOSTNAME=" + hostname};
  if (terminal) env.push_back("TERM=xterm");
  for (const auto* source : {&image, &user})
    for (const std::string& entry : *source) {
      const std::string name = entry.substr(0, entry.find('=') + 1);
      std::erase_if(env, [&](const std::string& other) { return other.starts_with(name); });
      env.push_back(entry);
    }
  return env;
}

namespace {

constexpr const char* default_path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

std::string search_path(const std::vector<std::string>& env) {
  for (auto entry = env.rbegin(); entry != env.rend(); ++entry)
    if (entry->starts_with("PATH=")) return entry->substr(5);
  return default_path;
}

bool is_root(const std::string& user) {
  const std::string name = user.substr(0, user.find(':'));
  return name.empty() || name == "0" || name == "root";
}

// Two slots in a row: the call fills both.
Slot slot_pair(Plan& plan, const std::string& first, const std::string& second) {
  const Slot slot = plan.slot(first, SlotKind::fd);
  plan.slot(second, SlotKind::fd);
  return slot;
}

Slot next(Slot slot) {
  return Slot{static_cast<std::uint16_t>(slot.index + 1)};
}

}  // namespace

Stdio add_detached_pipes(Plan& plan, bool interactive) {
  Stdio stdio;
  stdio.output_read = slot_pair(plan, "stdout_read", "stdout_write");
  stdio.error_read = slot_pair(plan, "stderr_read", "stderr_write");
  plan.monitor("stdout.pipe", ops::pipe()).into(stdio.output_read).on("stdout").why("the monitor keeps the log");
  plan.monitor("stderr.pipe", ops::pipe()).into(stdio.error_read).on("stderr").why("the monitor keeps the log");
  if (interactive) {
    const Slot read = slot_pair(plan, "stdin_read", "stdin_write");
    stdio.input_write = next(read);
    plan.monitor("stdin.pipe", ops::pipe()).into(read).on("stdin").why("kept open for whoever attaches");
  }
  return stdio;
}

void add_close_pipe_ends(Plan& plan, const Stdio& stdio, bool interactive) {
  plan.monitor("stdout.close", ops::close(next(stdio.output_read))).on("stdout").why("the end of output is seen only when no writer is left");
  plan.monitor("stderr.close", ops::close(next(stdio.error_read))).on("stderr").why("the end of output is seen only when no writer is left");
  if (interactive)
    plan.monitor("stdin.close", ops::close(Slot{static_cast<std::uint16_t>(stdio.input_write.index - 1)})).on("stdin").why("only the program reads it");
}

void add_terminal(Plan& plan, Stdio& stdio, Slot devpts, Slot dev, bool detached, std::uint16_t rows, std::uint16_t columns) {
  stdio.terminal = slot_pair(plan, "terminal", "terminal_peer");
  stdio.peer = next(stdio.terminal);
  const Step& opened = plan.payload("terminal", ops::pty_open(devpts)).into(stdio.terminal).on("the terminal").why("from our own devpts, no path is opened (CVE-2025-52565)");
  if (dev.valid()) {
    const Slot console = plan.slot("console", SlotKind::fd);
    plan.payload("console.file", ops::create_file_at(dev, "console", "", 0600)).on("/dev/console").why("something to bind on");
    plan.payload("console.tree", ops::open_tree(stdio.peer, "", 1 /* OPEN_TREE_CLONE */ | AT_EMPTY_PATH)).into(console).on("/dev/console").why("the terminal itself, by descriptor");
    plan.payload("console", ops::move_mount(console, dev, "console")).on("/dev/console").why("where programs look for the console");
  }
  const Step& size = plan.monitor("terminal.size", ops::set_window_size(stdio.terminal, rows == 0 ? 24 : rows, columns == 0 ? 80 : columns));
  const_cast<Step&>(size).after(opened).on("the terminal").why("as large as the caller's");
  if (!detached) plan.monitor("terminal.send", ops::send_fd(stdio.terminal)).on("the terminal").why("the caller reads and writes it directly");
}

void add_stdio(Plan& plan, const Stdio& stdio, bool terminal, bool detached, bool interactive) {
  plan.payload("session", ops::setsid()).why("no way to type into the caller's terminal (CVE-2017-5226)");
  if (terminal) {
    plan.payload("session.terminal", ops::controlling_terminal(stdio.peer)).on("the terminal").why("Ctrl-C reaches the program");
    for (int fd = 0; fd < 3; ++fd) plan.payload("stdio." + std::to_string(fd), ops::dup3(stdio.peer, fd)).on("the terminal").why("what the program reads and writes");
    return;
  }
  if (!interactive) {
    const Slot null = plan.slot("stdin_null", SlotKind::fd);
    plan.payload("stdin.null", ops::open("/dev/null", O_RDONLY)).into(null).on("stdin").why("nothing to read without -i");
    plan.payload("stdio.0", ops::dup3(null, 0)).on("stdin").why("nothing to read without -i");
  } else if (detached) {
    plan.payload("stdio.0", ops::dup3(Slot{static_cast<std::uint16_t>(stdio.input_write.index - 1)}, 0)).on("stdin").why("from whoever attaches");
  }
  if (!detached) return;
  plan.payload("stdio.1", ops::dup3(next(stdio.output_read), 1)).on("stdout").why("to the monitor's log");
  plan.payload("stdio.2", ops::dup3(next(stdio.error_read), 2)).on("stderr").why("to the monitor's log");
}

namespace {

std::vector<security::Ulimit> ulimits_of(const SecuritySpec& spec) {
  std::vector<security::Ulimit> limits;
  for (const UlimitSpec& limit : spec.ulimits) limits.push_back({limit.resource, limit.soft, limit.hard});
  return limits;
}

void add_filter(Plan& plan, const std::string& program, const std::string& reason) {
  if (!program.empty()) plan.payload("seccomp", ops::seccomp_load(program)).on("system call filter").why(reason);
}

}  // namespace

void add_program(Plan& plan, const Program& program, Slot root, const Host& host) {
  const SecuritySpec& wish = program.security;
  const auto choice = security::choose_capabilities({wish.cap_add, wish.cap_drop, wish.privileged, cgroups::devices_guarded(host.layout)}, host.capabilities);
  for (const std::string& warning : choice.warnings) plan.warnings.push_back(warning);
  const bool may_raise = (host.capabilities >> 24 & 1) != 0;  // CAP_SYS_RESOURCE
  security::add_ulimit_steps(plan, Lane::payload, ulimits_of(wish), host.hard_limits, may_raise);
  const Slot user = plan.slot("uid", SlotKind::number);
  plan.slot("gid", SlotKind::number);
  plan.payload("user", ops::resolve_user(root, program.user)).into(user).on("user '" + (program.user.empty() ? "root" : program.user) + "'").why("looked up in the container's /etc/passwd, not the host's");
  if (program.make_directory && program.working_directory != "/") {
    const Slot dir = plan.slot("working_directory", SlotKind::fd);
    plan.payload("workdir.make", ops::mkdirs_in_root(root, program.working_directory, 0755)).into(dir).on(program.working_directory).why("a working directory that the image lacks is made").tolerate(EROFS);
  }
  if (!wish.privileged) security::add_bounding_steps(plan, Lane::payload, choice.mask, host.capabilities);
  if (!wish.no_new_privileges) add_filter(plan, host.seccomp_program, "before CAP_SYS_ADMIN goes, without which a filter needs no_new_privs");
  plan.payload("user.become", ops::become_user(user)).on("user '" + (program.user.empty() ? "root" : program.user) + "'").why("groups, gid, uid, in this order");
  security::add_capset_step(plan, Lane::payload, choice.mask, is_root(program.user));
  if (wish.no_new_privileges) security::add_no_new_privileges_step(plan, Lane::payload);
  plan.payload("workdir", ops::chdir(program.working_directory)).on("working directory " + program.working_directory).why("as the program's user, who may not be allowed there");
  plan.payload("workdir.check", ops::check_cwd()).on("working directory").why("a leaked descriptor of the host would show here (CVE-2024-21626)");
  if (wish.no_new_privileges) add_filter(plan, host.seccomp_program, "last, which no_new_privs allows: the filter need not let through what made the container");
  if (program.init) plan.payload("init", ops::init_fork()).on("pid 1").why("--init: pid 1 reaps and forwards, the program is pid 2");
  plan.payload("exec", ops::exec(program.argv, program.env, search_path(program.env))).on("program '" + program.argv.front() + "'").why("the container begins");
}

}  // namespace drydock::container
