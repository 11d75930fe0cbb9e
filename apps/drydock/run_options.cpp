#include "run_options.hpp"

#include <drydock/container/parse.hpp>
#include <drydock/container/parse_values.hpp>

#include "session.hpp"

namespace drydock::cli {

namespace {

using container::Spec;
using Text = const std::string&;

void declare_process(Options& options, Spec& spec) {
  options.heading("The program");
  options.flag("-i,--interactive", "keep standard input open", spec.interactive);
  options.flag("-t,--tty", "give it a terminal", spec.terminal);
  options.flag("-d,--detach", "leave it running and print its id", spec.detach);
  declare_environment(options, spec.env);
  options.value("-w,--workdir", "DIR", "its working directory",
                [&spec](Text text) { spec.working_directory = container::parse_directory("-w/--workdir", text); });
  options.value("-u,--user", "USER[:GROUP]", "run as this user, a name or a number",
                [&spec](Text text) { spec.user = container::parse_user(text); });
  options.value("--entrypoint", "PROGRAM", "run this instead of the image's own entrypoint", [&spec](Text text) {
    spec.entrypoint = text.empty() ? std::vector<std::string>{} : std::vector<std::string>{text};
  });
  options.flag("--init", "a small pid 1 that reaps orphans and forwards signals", spec.init);
}

void declare_identity(Options& options, Spec& spec) {
  options.heading("The container");
  options.value("--name", "NAME", "its name; one is made up otherwise",
                [&spec](Text text) { spec.name = container::parse_name(text); });
  options.value("-h,--hostname", "NAME", "its host name (default: the first digits of its id)",
                [&spec](Text text) { spec.hostname = container::parse_hostname(text); });
  options.flag("--rm", "remove it when it has ended", spec.remove);
  options.value("-l,--label", "NAME=VALUE", "a note of yours, shown by inspect", [&spec](Text text) {
    const std::size_t equals = text.find('=');
    if (equals == 0 || text.empty()) throw container::bad_value("-l/--label", text, "the name is missing", "write NAME=value");
    spec.labels[text.substr(0, equals)] = equals == std::string::npos ? "" : text.substr(equals + 1);
  });
}

void declare_files(Options& options, Spec& spec) {
  options.heading("Files");
  options.value("-v,--volume", "SOURCE:DIR[:ro]", "show a directory of this machine, or a named volume",
                [&spec](Text text) { spec.mounts.push_back(container::parse_volume(text, working_directory())); });
  options.value("--mount", "KEY=VALUE,...", "the same in words: type=bind,source=/a,target=/b,readonly",
                [&spec](Text text) { spec.mounts.push_back(container::parse_mount(text)); });
  options.value("--tmpfs", "DIR[:OPTIONS]", "a directory in memory: /run:size=64m,mode=1777",
                [&spec](Text text) { spec.mounts.push_back(container::parse_tmpfs(text)); });
  options.flag("--read-only", "nothing but mounts can be written", spec.read_only);
}

void declare_limits(Options& options, Spec& spec) {
  cgroups::Limits& limits = spec.limits;
  options.heading("Limits (SIZE: bytes, or 512k, 64m, 1.5g)");
  options.value("-m,--memory", "SIZE", "memory, at least 6m",
                [&limits](Text text) { limits.memory = container::parse_memory(text); });
  options.value("--memory-swap", "SIZE", "memory plus swap, -1 for no limit",
                [&limits](Text text) { limits.memory_swap = container::parse_memory_swap(text); });
  options.value("-c,--cpu-shares", "WEIGHT", "share of busy processors, 2 to 262144 (usual: 1024)",
                [&limits](Text text) { limits.cpu_shares = container::parse_cpu_shares(text); });
  options.value("--cpus", "NUMBER", "processor time: 0.5 is half of one processor",
                [&limits](Text text) { limits.cpus = container::parse_cpus(text); });
  options.value("--cpuset-cpus", "LIST", "which processors: 0-1,3",
                [&limits](Text text) { limits.cpuset_cpus = container::parse_cpuset(text); });
  options.value("--pids-limit", "NUMBER", "how many tasks, -1 for no limit",
                [&limits](Text text) { limits.pids = container::parse_pids_limit(text); });
  options.value("--blkio-weight", "WEIGHT", "share of a busy disk, 10 to 1000",
                [&limits](Text text) { limits.blkio_weight = container::parse_blkio_weight(text); });
  const auto device = [&options](const char* name, const char* form, const char* help, std::vector<cgroups::DeviceRate>& list,
                                 auto parse) {
    options.value(name, form, help, [name, &list, parse](Text text) { list.push_back(parse(name, text)); });
  };
  device("--device-read-bps", "DEVICE:SIZE", "bytes a second read: /dev/vda:1m", limits.read_bps, container::parse_device_bytes);
  device("--device-write-bps", "DEVICE:SIZE", "bytes a second written", limits.write_bps, container::parse_device_bytes);
  device("--device-read-iops", "DEVICE:NUMBER", "reads a second: /dev/vda:100", limits.read_iops,
         container::parse_device_operations);
  device("--device-write-iops", "DEVICE:NUMBER", "writes a second", limits.write_iops, container::parse_device_operations);
  options.value("--ulimit", "NAME=SOFT[:HARD]", "a resource limit: nofile=1024:2048",
                [&spec](Text text) { spec.security.ulimits.push_back(container::parse_ulimit(text)); });
}

void declare_network(Options& options, Spec& spec) {
  container::NetworkSpec& network = spec.network;
  options.heading("Network");
  options.value("--net,--network", "MODE", "bridge (default), none, host, slirp4netns or container:NAME",
                [&network](Text text) { container::parse_network(text, network); });
  options.value("--ip", "ADDRESS", "its IPv4 address on the bridge",
                [&network](Text text) { network.address = container::parse_ip(text); });
  options.value("-p,--publish", "[IP:]HOST:PORT[/udp]", "make a port reachable on this machine: 8080:80", [&network](Text text) {
    for (container::PortSpec& port : container::parse_ports(text)) network.ports.push_back(std::move(port));
  });
  options.value("--dns", "ADDRESS", "a name server",
                [&network](Text text) { network.dns.push_back(container::parse_dns(text)); });
  options.value("--add-host", "NAME:ADDRESS", "a line for its /etc/hosts",
                [&network](Text text) { network.hosts.push_back(container::parse_add_host(text)); });
}

void declare_security(Options& options, Spec& spec) {
  container::SecuritySpec& security = spec.security;
  options.heading("Rights");
  options.value("--cap-add", "NAME", "give a capability: NET_ADMIN, or ALL",
                [&security](Text text) { security.cap_add.push_back(container::parse_capability("--cap-add", text)); });
  options.value("--cap-drop", "NAME", "take one away, or ALL",
                [&security](Text text) { security.cap_drop.push_back(container::parse_capability("--cap-drop", text)); });
  options.flag("--privileged", "every capability, no filter: as powerful as root outside", security.privileged);
  options.value("--security-opt", "OPTION", "seccomp=unconfined, seccomp=FILE or no-new-privileges",
                [&security](Text text) { container::parse_security_opt(text, security); });
  options.value("--userns", "MODE", "host (default), auto, or INSIDE:OUTSIDE:COUNT",
                [&spec](Text text) { spec.userns = container::parse_userns(text); });
}

void declare_plan(Options& options, PlanForm& plan) {
  options.heading("Watching how it is done");
  options.optional_value("--plan", "[=json]", "text", "print every step and its reason as if no other container ran, run nothing", [&plan](Text text) {
    if (text != "text" && text != "json")
      throw container::bad_value("--plan", text, "there is no such form", "write --plan or --plan=json");
    plan = text == "json" ? PlanForm::json : PlanForm::text;
  });
}

}  // namespace

std::optional<RunRequest> parse_run(const Words& words) {
  RunRequest request;
  Options options("run", "IMAGE [COMMAND] [ARG...]", "Run a program in a new container.");
  declare_process(options, request.spec);
  declare_identity(options, request.spec);
  declare_files(options, request.spec);
  declare_limits(options, request.spec);
  declare_network(options, request.spec);
  declare_security(options, request.spec);
  declare_plan(options, request.plan);
  declare_run_options(options, request.options);
  options.footer(
      "Options go before the image; what follows it is the program and its arguments.\n\n"
      "Examples:\n"
      "  drydock run -it --rm busybox sh\n"
      "  drydock run -d --name web -p 8080:80 -m 64m busybox httpd -f -p 80\n"
      "  drydock run --plan -m 64m busybox true\n\n"
      "Exit code: the program's own; 125 drydock failed, 126 not executable, 127 not found, 128+n ended by signal n.");
  if (!options.parse(words, Options::Stop::at_first_positional)) return std::nullopt;
  options.require(1, Options::any_number, "the image", "for example: drydock run -it busybox sh ('drydock images' lists them)");
  const Words& rest = options.positionals();
  request.spec.image = rest[0];
  request.spec.command.assign(rest.begin() + 1, rest.end());
  container::check(request.spec);
  return request;
}

}  // namespace drydock::cli
