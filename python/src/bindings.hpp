// The parts of the module _core, one function for each file of this folder.
//
// Nothing here is for users: the package drydock gives these names their types, defaults and pictures. Values cross as JSON
// or as plain dictionaries; the classes of the package carry the names of the C++ structs they come from.
#pragma once

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <string>

#include <drydock/container/container.hpp>

namespace drydock::python {

namespace py = pybind11;

// Failures of Drydock become drydock.Error, by the factory in drydock/errors.py.
void declare_errors(py::module_& module);
void declare_arguments(py::module_& module);
void declare_program(py::module_& module);
void declare_engine(py::module_& module);
void declare_machine(py::module_& module);
void declare_cgroups(py::module_& module);
void declare_images(py::module_& module);

// The directories of this user, and the programs that came with the package.
container::Engine engine();

// What dead monitors left is undone before anything else, as each command does. For an ordinary user that may take a process in a
// user namespace, which an interpreter does not make: drydock.reset() does it in a fresh one.
void recover(bool starts_another);

// Called between slices of waiting, without the GIL: Ctrl-C becomes KeyboardInterrupt. Throws py::error_already_set.
void check_signals();

inline constexpr int slice_ms = 100;  // how long a signal may wait for its handler when another thread took it

}  // namespace drydock::python
