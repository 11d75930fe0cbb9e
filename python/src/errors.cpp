// drydock::Error as a Python exception. Which class it is depends on errno, and is decided in Python.
#include <drydock/kernel/error.hpp>

#include "bindings.hpp"

namespace drydock::python {

namespace {

void raise(const Error& error) {
  const Error::Parts& parts = error.parts();
  const py::object make = py::module_::import("drydock.errors").attr("from_parts");
  const py::object made = make(parts.call, parts.arguments, parts.code, parts.step, parts.reason, parts.remedy, std::string(error.what()));
  PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(made.ptr())), made.ptr());
}

}  // namespace

void check_signals() {
  const py::gil_scoped_acquire gil;
  if (PyErr_CheckSignals() != 0) throw py::error_already_set();
}

void declare_errors(py::module_&) {
  py::register_exception_translator([](std::exception_ptr failure) {
    try {
      if (failure) std::rethrow_exception(failure);
    } catch (const Error& error) {
      raise(error);
    }
  });
}

}  // namespace drydock::python
