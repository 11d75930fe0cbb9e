// Containers by name: what there is, what they wrote, and how they end. Also the plan of a run, which runs nothing.
#include <cstdlib>

#include <drydock/container/parse.hpp>
#include <drydock/kernel/error.hpp>
#include <drydock/kernel/symbols.hpp>
#include <drydock/kernel/sys.hpp>
#include <drydock/network/subnet.hpp>
#include <drydock/process/wait.hpp>

#include "bindings.hpp"

namespace drydock::python {

namespace {

std::string& programs_directory() {
  static std::string directory;
  return directory;
}

const char* status_name(container::Status status) {
  constexpr const char* names[] = {"created", "running", "frozen", "exited", "removing"};
  return names[static_cast<std::size_t>(status)];
}

py::dict record_dict(const container::Record& record) {
  py::dict fields;
  fields["id"] = record.id;
  fields["name"] = record.name;
  fields["image"] = record.image;
  fields["image_id"] = record.image_id;
  fields["layers"] = record.layers;
  fields["command"] = record.command;
  fields["status"] = status_name(record.status);
  fields["pid"] = record.pid;
  fields["pid_start"] = record.pid_start;
  fields["monitor"] = record.monitor;
  fields["created_ns"] = record.created_ns;
  fields["started_ns"] = record.started_ns;
  fields["finished_ns"] = record.finished_ns;
  fields["exit_code"] = record.exit_code;
  fields["out_of_memory"] = record.out_of_memory;
  fields["address"] = record.address;
  fields["log_path"] = record.log_path;
  fields["ledger_path"] = record.ledger_path;
  fields["cgroups"] = record.cgroups;
  fields["spec"] = py::module_::import("json").attr("loads")(container::to_json(record.spec));
  return fields;
}

container::Record find(const std::string& name) {
  const py::gil_scoped_release released;
  return engine().find(name);
}

py::list containers(bool all) {
  std::vector<container::Record> records;
  {
    const py::gil_scoped_release released;
    recover(false);
    records = engine().list(all);
  }
  py::list dicts;
  for (const container::Record& record : records) dicts.append(record_dict(record));
  return dicts;
}

// True when process 1 of the container has ended within the slice; what then is left to do takes milliseconds.
bool ends_within(const container::Record& record, int timeout_ms) {
  try {
    const Fd process = sys::pidfd_open(record.pid);
    return sys::start_time(record.pid) != record.pid_start || process::wait_ended(process, timeout_ms);
  } catch (const Error& error) {
    return error.code() == ESRCH;
  }
}

std::optional<int> wait(const std::string& name, std::optional<double> seconds) {
  const py::gil_scoped_release released;
  const container::Engine here = engine();
  const container::Record record = here.find(name);
  const std::uint64_t limit = seconds ? sys::monotonic_ns() + static_cast<std::uint64_t>(std::min(*seconds, 1e8) * 1e9) : ~0ULL;
  while (record.pid != 0 && !ends_within(record, slice_ms)) {
    check_signals();
    if (sys::monotonic_ns() >= limit) return std::nullopt;
  }
  return here.wait(record.id);
}

std::vector<std::pair<int, py::bytes>> logs(const std::string& name, std::optional<std::uint64_t> tail, bool timestamps) {
  std::vector<std::pair<int, std::string>> lines;
  {
    const py::gil_scoped_release released;
    container::LogOptions options;
    options.tail = tail;
    options.timestamps = timestamps;
    engine().logs(name, options, [&](int stream, std::string_view text) {
      lines.emplace_back(stream, text);
      return true;
    });
  }
  std::vector<std::pair<int, py::bytes>> result;
  for (const auto& [stream, text] : lines) result.emplace_back(stream, py::bytes(text));
  return result;
}

int signal_number(const std::string& name) {
  const auto number = symbols::signal_number(name);
  if (!number) throw py::value_error("signal=" + py::repr(py::str(name)).cast<std::string>() + ": there is no such signal; for example TERM, KILL, USR1");
  return *number;
}

std::string start_detached(const container::Spec& spec) {
  const py::gil_scoped_release released;
  recover(true);
  container::RunOptions options;
  options.while_starting = check_signals;
  return engine().start(spec, options).id;
}

}  // namespace

container::Engine engine() {
  container::Paths paths = container::default_paths();
  if (::getenv("DRYDOCK_MONITOR") == nullptr && !programs_directory().empty()) paths.monitor = programs_directory() + "/drydock-monitor";
  return container::Engine(paths);
}

void recover(bool starts_another) {
  if (sys::geteuid() == 0) engine().recover(starts_another);
}

void declare_engine(py::module_& module) {
  using py::arg;
  const auto without_gil = py::call_guard<py::gil_scoped_release>();
  module.def("set_programs", [](const std::string& directory) { programs_directory() = directory; }, arg("directory"));
  module.def("paths", [] {
    const container::Engine here = engine();
    return std::map<std::string, std::string>{{"data", here.paths().data}, {"state", here.paths().state}, {"monitor", here.paths().monitor}};
  });
  py::class_<plan::Plan>(module, "Plan")
      .def("json", [](const plan::Plan& plan) { return plan::to_json(plan); })
      .def("text", [](const plan::Plan& plan, bool with_reasons) { return plan::print(plan, with_reasons); }, arg("with_reasons"));
  module.def("plan", [](const container::Spec& spec) { return engine().plan(spec); }, arg("spec"), without_gil);
  module.def("find", [](const std::string& name) { return record_dict(find(name)); }, arg("container"));
  module.def("containers", &containers, arg("all"));
  module.def("start_detached", &start_detached, arg("spec"));
  module.def("wait", &wait, arg("container"), arg("seconds"));
  module.def("logs", &logs, arg("container"), arg("tail"), arg("timestamps"));
  module.def("signal_number", &signal_number, arg("name"));
  module.def("kill", [](const std::string& name, int number) { engine().kill(name, number); }, arg("container"), arg("number"), without_gil);
  module.def("remove", [](const std::string& name, bool force) { engine().remove(name, force); }, arg("container"), arg("force"), without_gil);
  module.def("reset", [](bool all) { return engine().reset(all); }, arg("all"), without_gil);
  module.def("subnet", [] {
    const network::BridgeConfig config;
    return std::map<std::string, std::string>{{"bridge", config.name}, {"gateway", config.gateway().text()}, {"subnet", config.subnet.text()}};
  });
}

}  // namespace drydock::python
