#include "bindings.hpp"

PYBIND11_MODULE(_core, module) {
  module.doc() = "The bindings of Drydock; use the package drydock.";
  module.attr("__version__") = DRYDOCK_VERSION;
  drydock::python::declare_errors(module);
  drydock::python::declare_arguments(module);
  drydock::python::declare_program(module);
  drydock::python::declare_engine(module);
  drydock::python::declare_machine(module);
  drydock::python::declare_cgroups(module);
  drydock::python::declare_images(module);
}
