#include "shared/scratch.hpp"

#include <drydock/kernel/sys.hpp>

namespace drydock::chapter {

using namespace plan;

std::string scratch_path() {
  return "/tmp/drydock-ch-" + sys::random_hex(16);
}

void add_scratch(Sketch& sketch, const std::string& path) {
  if (sketch.request.euid == 0) sketch.keep_ledger();  // others may have no state directory, and chapters do without one
  sketch.add(Phase::host, "scratch", [=](Sketch& s) {
    s.plan()
        .monitor("scratch", ops::mkdir(path, 0700))
        .undo(ops::remove_tree(path))
        .on(path)
        .why("for this experiment, and gone with it");
  });
}

}  // namespace drydock::chapter
