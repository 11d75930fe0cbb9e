// How long a chapter waits for its own processes before it says that they hang: ten seconds, or as many times that as DRYDOCK_SLOW
// says, which `./lab vm` sets: the processor of a machine in software is twenty times slower.
//
// Example: if (!process::wait_readable(fd, patience_ms())) throw Error::refused(...);
// Source: docs/vm.md, "Slow machines".
#pragma once

#include <algorithm>
#include <cstdlib>

namespace drydock::chapter {

inline int patience_ms() {
  const char* factor = std::getenv("DRYDOCK_SLOW");
  return static_cast<int>(10'000 * (factor == nullptr ? 1.0 : std::clamp(std::atof(factor), 1.0, 1000.0)));
}

}  // namespace drydock::chapter
