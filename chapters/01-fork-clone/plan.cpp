// The plan of chapter 01: one child that becomes a program. No flag of clone3 is set, so nothing is isolated yet.
#include "shared/sketch.hpp"

namespace drydock::chapter {

const Growth fork_clone{{.chapter = 1, .adds = {"clone", "die_with_monitor", "exec"}, .grow = [](Sketch&) {}}};

}  // namespace drydock::chapter
