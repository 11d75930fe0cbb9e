// Time limits of tests, for machines of different speed: a virtual machine in software is twenty times slower than its host.
//
// A limit says "it hangs", never "it is fast enough": on a slow machine it is multiplied by DRYDOCK_SLOW (a factor, 1 or more,
// set by `./lab vm test`), and sweeps are shorter. Times that a test measures against each other need nothing of this.
//
// Example: CHECK(stop.seconds < 3 * slowness());  wait(patient(5000));
#pragma once

#include <algorithm>
#include <cstdlib>

namespace drydock::test {

inline double slowness() {
  const char* factor = std::getenv("DRYDOCK_SLOW");
  return factor == nullptr ? 1.0 : std::clamp(std::atof(factor), 1.0, 1000.0);
}

// Milliseconds (or any unit) as long as this machine needs them to be.
inline int patient(int time) {
  return static_cast<int>(time * slowness());
}

// How often a sweep is repeated: fewer times on a slow machine, which is there for its kernel and not for its luck.
inline int repetitions(int count) {
  return std::max(1, static_cast<int>(count / slowness()));
}

}  // namespace drydock::test
