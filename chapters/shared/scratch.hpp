// A directory below /tmp that a plan makes, and its undo removes: it goes with the container, also when the chapter is killed,
// and with the next `drydock reset` when root's monitor is. Gives root's ledger a name.
//
// Example: const std::string directory = scratch_path(); add_scratch(sketch, directory);
// Source: docs/writing-chapters.md.
#pragma once

#include <string>

#include "shared/sketch.hpp"

namespace drydock::chapter {

std::string scratch_path();  // a new name each time; nothing is made
void add_scratch(Sketch& sketch, const std::string& path);

}  // namespace drydock::chapter
