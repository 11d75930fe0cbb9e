// Control groups: the layout of the machine, the knob table, and the groups of a container while it runs.
#include <drydock/cgroups/group.hpp>
#include <drydock/cgroups/host.hpp>

#include "arguments.hpp"
#include "bindings.hpp"

namespace drydock::python {

namespace {

using cgroups::Group;

py::dict usage(const Group& group) {
  const cgroups::Usage usage = group.usage();
  py::dict fields;
  fields["memory_bytes"] = usage.memory_bytes;
  fields["memory_peak_bytes"] = usage.memory_peak_bytes;
  fields["memory_limit_bytes"] = usage.memory_limit_bytes;
  fields["cpu_ns"] = usage.cpu_ns;
  fields["tasks"] = usage.tasks;
  fields["tasks_limit"] = usage.tasks_limit;
  fields["read_bytes"] = usage.read_bytes;
  fields["write_bytes"] = usage.write_bytes;
  return fields;
}

py::dict events(const Group& group) {
  const cgroups::Events events = group.events();
  py::dict fields;
  fields["oom_kills"] = events.oom_kills;
  fields["fork_failures"] = events.fork_failures;
  fields["periods"] = events.periods;
  fields["throttled_periods"] = events.throttled_periods;
  fields["throttled_ns"] = events.throttled_ns;
  return fields;
}

std::vector<std::string> set(Group& group, const py::dict& options) {
  const cgroups::Limits limits = limits_from(options);
  const py::gil_scoped_release released;
  return group.set(limits, cgroups::read_host(cgroups::read_manageable_layout(), limits));
}

py::dict layout() {
  const cgroups::Layout layout = cgroups::read_layout();
  py::list places;
  for (const cgroups::Place& place : layout.places) {
    py::dict fields;
    fields["controller"] = place.controller;
    fields["version"] = place.version == cgroups::Version::v1 ? 1 : 2;
    fields["mount"] = place.mount;
    places.append(fields);
  }
  py::dict fields;
  fields["shape"] = cgroups::shape_name(layout.shape);
  fields["places"] = places;
  fields["cgroup2"] = layout.cgroup2;
  return fields;
}

py::list knob_table() {
  py::list rows;
  for (const cgroups::Knob& knob : cgroups::knob_table()) {
    py::dict fields;
    fields["name"] = knob.name;
    fields["v1_controller"] = knob.v1_controller;
    fields["v1_file"] = knob.v1_file;
    fields["v2_controller"] = knob.v2_controller;
    fields["v2_file"] = knob.v2_file;
    fields["reason"] = knob.reason;
    rows.append(fields);
  }
  return rows;
}

}  // namespace

void declare_cgroups(py::module_& module) {
  using py::arg;
  const auto without_gil = py::call_guard<py::gil_scoped_release>();
  py::class_<Group>(module, "Group")
      .def(py::init([](const std::vector<std::string>& directories) { return Group(cgroups::read_manageable_layout(), directories); }), arg("directories"))
      .def("exists", &Group::exists)
      .def("usage", &usage)
      .def("events", &events)
      .def("pids", &Group::pids)
      .def("set", &set, arg("limits"))
      .def("freeze", &Group::freeze, without_gil)
      .def("thaw", &Group::thaw, without_gil)
      .def("frozen", &Group::frozen)
      .def("kill", &Group::kill, without_gil);
  module.def("layout", &layout);
  module.def("knob_table", &knob_table);
}

}  // namespace drydock::python
