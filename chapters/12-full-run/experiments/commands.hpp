// Commands of this machine: other people's programs, with a constructed environment.
//
// Example: said_by("runc --version")
#pragma once

#include <string>

#include "shared/child.hpp"

namespace drydock::chapter::full_run {

// By /bin/sh. It may be spoken to, and what it prints is heard, both streams together.
Child shell(const std::string& command);
// All that it prints, without the last end of line.
std::string said_by(const std::string& command);

}  // namespace drydock::chapter::full_run
