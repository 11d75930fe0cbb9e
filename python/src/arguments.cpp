#include "arguments.hpp"

#include <array>
#include <cstdlib>
#include <map>

#include <drydock/container/parse.hpp>
#include <drydock/kernel/error.hpp>

namespace drydock::python {

namespace {

using container::Spec;

// The options of the command line that the checks speak of, as the arguments they are here. Longer ones first.
constexpr std::array<std::array<const char*, 2>, 14> argument_names = {{{"-m/--memory", "memory"},
                                                                       {"--memory-swap", "memory_swap"},
                                                                       {"-p/--publish", "ports"},
                                                                       {"--dns/--add-host", "dns, hosts"},
                                                                       {"--privileged", "privileged"},
                                                                       {"--network", "network"},
                                                                       {"--hostname", "hostname"},
                                                                       {"--userns", "userns"},
                                                                       {"--dns", "dns"},
                                                                       {"--ip", "address"},
                                                                       {"-m ", "memory "},
                                                                       {" -m", " memory"},
                                                                       {" -p", " ports"},
                                                                       {"--add-host", "hosts"}}};

std::string in_arguments(std::string text) {
  for (const auto& [option, argument] : argument_names)
    for (std::size_t at; (at = text.find(option)) != std::string::npos;) text.replace(at, std::string(option).size(), argument);
  return text;
}

std::string sentence(const Error& error) {
  return in_arguments(error.reason() + (error.remedy().empty() ? "" : "; " + error.remedy()));
}

using Setter = std::function<void(Spec&, const Argument&)>;

// For a field that one text sets.
template <typename Parse>
Setter one(Parse parse) {
  return [parse](Spec& spec, const Argument& argument) {
    const std::string text = argument.text();
    argument.check(text, [&] { parse(spec, text); });
  };
}

template <typename Parse>
Setter each(Parse parse) {
  return [parse](Spec& spec, const Argument& argument) {
    for (const std::string& text : argument.texts()) argument.check(text, [&] { parse(spec, text); });
  };
}

Setter flag(bool Spec::*field) {
  return [field](Spec& spec, const Argument& argument) { spec.*field = argument.flag(); };
}

Setter rates(std::vector<cgroups::DeviceRate> cgroups::Limits::*field, bool bytes) {
  return each([field, bytes](Spec& spec, const std::string& text) {
    (spec.limits.*field).push_back(bytes ? container::parse_device_bytes("", text) : container::parse_device_operations("", text));
  });
}

std::optional<std::string> environment(const std::string& name) {
  const char* value = ::getenv(name.c_str());
  return value != nullptr ? std::optional<std::string>(value) : std::nullopt;
}

void set_env(std::vector<std::string>& env, const Argument& argument) {
  for (const std::string& text : argument.pairs("="))
    argument.check(text, [&] {
      if (auto variable = container::parse_env(text, environment)) env.push_back(std::move(*variable));
    });
}

void set_labels(Spec& spec, const Argument& argument) {
  for (const std::string& text : argument.pairs("=")) {
    const std::size_t equals = text.find('=');
    argument.check(text, [&] {
      if (equals == 0 || equals == std::string::npos) throw Error::refused("label", "the name or the value is missing", "write NAME=value");
    });
    spec.labels[text.substr(0, equals)] = text.substr(equals + 1);
  }
}

container::MountSpec parse_any_mount(const std::string& text) {
  if (text.starts_with("type=") || text.find(",target=") != std::string::npos) return container::parse_mount(text);
  return container::parse_volume(text, py::module_::import("os").attr("getcwd")().cast<std::string>());
}

using Table = std::map<std::string, Setter>;

void add_limits(Table& table) {
  table["memory"] = one([](Spec& s, const std::string& t) { s.limits.memory = container::parse_memory(t); });
  table["memory_swap"] = one([](Spec& s, const std::string& t) { s.limits.memory_swap = container::parse_memory_swap(t); });
  table["cpu_shares"] = one([](Spec& s, const std::string& t) { s.limits.cpu_shares = container::parse_cpu_shares(t); });
  table["cpus"] = one([](Spec& s, const std::string& t) { s.limits.cpus = container::parse_cpus(t); });
  table["cpuset_cpus"] = one([](Spec& s, const std::string& t) { s.limits.cpuset_cpus = container::parse_cpuset(t); });
  table["pids"] = one([](Spec& s, const std::string& t) { s.limits.pids = container::parse_pids_limit(t); });
  table["blkio_weight"] = one([](Spec& s, const std::string& t) { s.limits.blkio_weight = container::parse_blkio_weight(t); });
  table["read_bps"] = rates(&cgroups::Limits::read_bps, true);
  table["write_bps"] = rates(&cgroups::Limits::write_bps, true);
  table["read_iops"] = rates(&cgroups::Limits::read_iops, false);
  table["write_iops"] = rates(&cgroups::Limits::write_iops, false);
}

void add_security(Table& table) {
  table["cap_add"] = each([](Spec& s, const std::string& t) { s.security.cap_add.push_back(container::parse_capability("", t)); });
  table["cap_drop"] = each([](Spec& s, const std::string& t) { s.security.cap_drop.push_back(container::parse_capability("", t)); });
  table["privileged"] = [](Spec& s, const Argument& a) { s.security.privileged = a.flag(); };
  table["no_new_privileges"] = [](Spec& s, const Argument& a) { s.security.no_new_privileges = a.flag(); };
  table["seccomp"] = one([](Spec& s, const std::string& t) { container::parse_security_opt("seccomp=" + t, s.security); });
  table["ulimits"] = [](Spec& s, const Argument& a) {
    for (const std::string& text : a.pairs("=")) a.check(text, [&] { s.security.ulimits.push_back(container::parse_ulimit(text)); });
  };
  table["userns"] = one([](Spec& s, const std::string& t) { s.userns = container::parse_userns(t); });
}

void add_network(Table& table) {
  table["network"] = one([](Spec& s, const std::string& t) { container::parse_network(t, s.network); });
  table["address"] = one([](Spec& s, const std::string& t) { s.network.address = container::parse_ip(t); });
  table["dns"] = each([](Spec& s, const std::string& t) { s.network.dns.push_back(container::parse_dns(t)); });
  table["hosts"] = [](Spec& s, const Argument& a) {
    for (const std::string& text : a.pairs(":")) a.check(text, [&] { s.network.hosts.push_back(container::parse_add_host(text)); });
  };
  table["ports"] = each([](Spec& s, const std::string& t) {
    for (container::PortSpec& port : container::parse_ports(t)) s.network.ports.push_back(std::move(port));
  });
}

const Table& table() {
  static const Table made = [] {
    Table t;
    t["name"] = one([](Spec& s, const std::string& text) { s.name = container::parse_name(text); });
    t["hostname"] = one([](Spec& s, const std::string& text) { s.hostname = container::parse_hostname(text); });
    t["entrypoint"] = [](Spec& s, const Argument& a) { s.entrypoint = a.texts(); };
    t["env"] = [](Spec& s, const Argument& a) { set_env(s.env, a); };
    t["working_directory"] = one([](Spec& s, const std::string& text) { s.working_directory = container::parse_directory("", text); });
    t["user"] = one([](Spec& s, const std::string& text) { s.user = container::parse_user(text); });
    t["interactive"] = flag(&Spec::interactive);
    t["detach"] = flag(&Spec::detach);
    t["remove"] = flag(&Spec::remove);
    t["init"] = flag(&Spec::init);
    t["read_only"] = flag(&Spec::read_only);
    t["mounts"] = each([](Spec& s, const std::string& text) { s.mounts.push_back(parse_any_mount(text)); });
    t["tmpfs"] = each([](Spec& s, const std::string& text) { s.mounts.push_back(container::parse_tmpfs(text)); });
    t["labels"] = set_labels;
    add_limits(t);
    add_network(t);
    add_security(t);
    return t;
  }();
  return made;
}

void fill(Spec& spec, const py::dict& options) {
  for (const auto& [key, value] : options) {
    const auto name = key.cast<std::string>();
    const auto found = table().find(name);
    if (found == table().end()) throw py::type_error("there is no argument '" + name + "'; drydock.Options lists them");
    if (!value.is_none()) found->second(spec, Argument(name, value));
  }
}

}  // namespace

void Argument::wrong_type(const char* expected) const {
  throw py::type_error(name_ + ": " + expected + " is expected, not " + py::str(py::type::of(value_).attr("__name__")).cast<std::string>());
}

bool Argument::flag() const {
  if (!py::isinstance<py::bool_>(value_)) wrong_type("True or False");
  return value_.cast<bool>();
}

std::string Argument::one_text(py::handle value) const {
  if (py::isinstance<py::str>(value)) return value.cast<std::string>();
  const bool number = py::isinstance<py::int_>(value) || py::isinstance<py::float_>(value);
  if (number && !py::isinstance<py::bool_>(value)) return py::str(value).cast<std::string>();
  if (py::hasattr(value, "__fspath__")) return py::str(value.attr("__fspath__")()).cast<std::string>();
  wrong_type("text, a number or a path");
}

std::string Argument::text() const {
  return one_text(value_);
}

std::vector<std::string> Argument::texts() const {
  if (py::isinstance<py::str>(value_) || !py::isinstance<py::iterable>(value_)) return {one_text(value_)};
  std::vector<std::string> all;
  for (const py::handle value : value_) all.push_back(one_text(value));
  return all;
}

std::vector<std::string> Argument::pairs(const char* separator) const {
  if (!py::isinstance<py::dict>(value_)) return texts();
  std::vector<std::string> all;
  for (const auto& [key, value] : py::reinterpret_borrow<py::dict>(value_)) all.push_back(one_text(key) + separator + one_text(value));
  return all;
}

void Argument::check(const std::string& shown, const std::function<void()>& parse) const {
  try {
    parse();
  } catch (const Error& error) {
    throw py::value_error(name_ + "=" + py::repr(py::str(shown)).cast<std::string>() + ": " + sentence(error));
  }
}

Spec spec_from(const std::string& image, const std::vector<std::string>& command, const py::dict& options) {
  Spec spec;
  spec.image = image;
  spec.command = command;
  fill(spec, options);
  try {
    container::check(spec);
  } catch (const Error& error) {
    throw py::value_error(in_arguments(error.call()) + ": " + sentence(error));
  }
  return spec;
}

container::ExecSpec exec_spec_from(const std::vector<std::string>& command, const py::dict& options) {
  container::ExecSpec spec;
  spec.command = command;
  for (const auto& [key, value] : options) {
    if (value.is_none()) continue;
    const auto name = key.cast<std::string>();
    const Argument argument(name, value);
    if (name == "env") set_env(spec.env, argument);
    else if (name == "user") argument.check(argument.text(), [&] { spec.user = container::parse_user(argument.text()); });
    else if (name == "working_directory")
      argument.check(argument.text(), [&] { spec.working_directory = container::parse_directory("", argument.text()); });
    else if (name == "privileged") spec.privileged = argument.flag();
    else throw py::type_error("exec has no argument '" + name + "'");
  }
  return spec;
}

cgroups::Limits limits_from(const py::dict& options) {
  Spec spec;
  fill(spec, options);
  return spec.limits;
}

void declare_arguments(py::module_& module) {
  py::class_<Spec>(module, "Spec")
      .def(py::init(&spec_from), py::arg("image"), py::arg("command"), py::arg("options"))
      .def("json", [](const Spec& spec) { return container::to_json(spec); });
  module.def("argument_names", [] {
    std::vector<std::string> names;
    for (const auto& entry : table()) names.push_back(entry.first);
    return names;
  });
}

}  // namespace drydock::python
