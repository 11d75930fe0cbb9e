// What the kernel says: facts of a process, and namespaces.
#include <drydock/facts/report.hpp>
#include <drydock/namespaces/kinds.hpp>

#include "bindings.hpp"

namespace drydock::python {

namespace {

std::vector<std::tuple<std::string, std::string, std::string>> rows(const facts::Snapshot& snapshot) {
  std::vector<std::tuple<std::string, std::string, std::string>> all;
  for (facts::Row& row : facts::rows(snapshot)) all.emplace_back(std::move(row.group), std::move(row.name), std::move(row.value));
  return all;
}

py::list kinds() {
  py::list all;
  for (const namespaces::KindInfo& info : namespaces::all_kinds()) {
    py::dict fields;
    fields["name"] = info.name;
    fields["flag"] = info.flag;
    fields["isolates"] = info.isolates;
    fields["since"] = info.since;
    all.append(fields);
  }
  return all;
}

std::map<std::string, std::uint64_t> ids_of(pid_t pid) {
  std::map<std::string, std::uint64_t> ids;
  for (const auto& [kind, id] : namespaces::ids_of(pid)) ids.emplace(namespaces::info(kind).name, id);
  return ids;
}

std::optional<std::string> kind_named(const std::string& name) {
  const auto kind = namespaces::kind_named(name);
  return kind ? std::optional<std::string>(namespaces::info(*kind).name) : std::nullopt;
}

}  // namespace

void declare_machine(py::module_& module) {
  using py::arg;
  const auto without_gil = py::call_guard<py::gil_scoped_release>();
  py::class_<facts::Snapshot>(module, "Snapshot")
      .def("json", [](const facts::Snapshot& snapshot) { return facts::to_json(snapshot); })
      .def("text", [](const facts::Snapshot& snapshot, std::size_t width) { return facts::to_text(snapshot, width); }, arg("width"))
      .def("rows", &rows);
  py::class_<facts::Diff>(module, "Diff")
      .def("json", [](const facts::Diff& diff) { return facts::to_json(diff); })
      .def("text", [](const facts::Diff& diff, std::size_t width) { return facts::to_text(diff, width); }, arg("width"));
  module.def("take", &facts::take, arg("pid"), without_gil);
  module.def("diff", [](const facts::Snapshot& a, const facts::Snapshot& b) { return facts::diff(a, b); }, arg("a"), arg("b"));
  module.def("kinds", &kinds);
  module.def("kind_named", &kind_named, arg("name"));
  module.def("ids_of", &ids_of, arg("pid"));
}

}  // namespace drydock::python
