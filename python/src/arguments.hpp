// Keyword arguments as the fields of a Spec, by the same parsers as the command line.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "bindings.hpp"

namespace drydock::python {

// One argument on its way: every conversion names it when it fails (TypeError for the kind, ValueError for the value).
class Argument {
 public:
  Argument(std::string name, py::handle value) : name_(std::move(name)), value_(value) {}

  bool flag() const;
  std::string text() const;             // str, os.PathLike; numbers too, as digits
  std::vector<std::string> texts() const;  // a sequence of them; one alone counts as a sequence of one
  std::vector<std::string> pairs(const char* separator) const;  // a mapping as NAME=VALUE, or texts()
  // What `parse` refuses becomes a ValueError.
  void check(const std::string& shown, const std::function<void()>& parse) const;

 private:
  [[noreturn]] void wrong_type(const char* expected) const;
  std::string one_text(py::handle value) const;

  std::string name_;
  py::handle value_;
};

container::Spec spec_from(const std::string& image, const std::vector<std::string>& command, const py::dict& options);
container::ExecSpec exec_spec_from(const std::vector<std::string>& command, const py::dict& options);
cgroups::Limits limits_from(const py::dict& options);

}  // namespace drydock::python
