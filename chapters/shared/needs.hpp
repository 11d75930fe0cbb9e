// What an experiment needs from the machine, and the sentence that is said where it is missing.
//
// A need is looked at before the experiment runs. What is missing is a skip with a reason and a remedy, never a pass.
//
// Example: {.name = "swap", .needs = {needs::root(), needs::controller("memory")}, ...}
// Source: docs/writing-chapters.md.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace drydock::chapter {

struct Need {
  std::string name;                      // "root", as a handout says it
  std::function<std::string()> missing;  // empty: it is there; else "what is missing; what would enable it"
};

namespace needs {
Need root();
// Namespaces of any kind: root, or the right to make a user namespace.
Need namespaces();
Need kernel(int major, int minor);
// A program of this machine, found in PATH. `package` brings it, where that is not its name.
Need program(const std::string& name, const std::string& package = {});
// A controller of either version, with groups that may be made: root.
Need controller(const std::string& name);
Need controller_v1(const std::string& name);
Need controller_v2(const std::string& name);
// Address translation in the kernel.
Need nf_tables();
// A file of /proc or /sys that may be read.
Need readable(const std::string& path);
}  // namespace needs

// The first that is missing, empty when nothing is.
std::string what_is_missing(const std::vector<Need>& needs);

}  // namespace drydock::chapter
