#include "shared/scratch.hpp"

#include <drydock/kernel/sys.hpp>

namespace drydock::chapter {

using namespace plan;

std::string scratch_path() {
  return "/tmp/drydock-ch-" + sys::random_hex(16);
}

void add_scratch(Sketch& sketch, const std::string& path) {
  sketch.add(Phase::host, "scratch", [=](Sketch& s) {
    s.plan()
        .monitor("scratch", ops::mkdir(path, 0700))
        .undo(ops::remove_tree(path))
        .on(path)
        .why("for this experiment, and gone with it");
  });
}

}  // namespace drydock::chapter
