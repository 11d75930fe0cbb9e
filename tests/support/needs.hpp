// What a test needs from the machine, and what happens where it is missing.
//
// DRYDOCK_SKIP("reason; what would enable it") leaves the test case and says so on standard output. A machine that is
// known to have everything (CI, the virtual machine of the course) sets DRYDOCK_MUST: there a skip is a failure, so that
// a test cannot vanish unseen. DRYDOCK_MUST holds classes of tests separated by commas: "unit,kernel", or "all".
//
// Example: if (sys::geteuid() != 0) DRYDOCK_SKIP("not root; run with sudo");
#pragma once

#include <cstdlib>
#include <iostream>
#include <string_view>

#include "support/catch.hpp"

#ifndef DRYDOCK_TEST_CLASS
#define DRYDOCK_TEST_CLASS "unit"
#endif

namespace drydock::test {

// True when DRYDOCK_MUST (here: `wanted`) names `test_class` or "all".
inline bool must_run(std::string_view wanted, std::string_view test_class) {
  while (!wanted.empty()) {
    const std::size_t comma = wanted.find(',');
    const std::string_view word = wanted.substr(0, comma);
    if (word == test_class || word == "all") return true;
    if (comma == std::string_view::npos) break;
    wanted.remove_prefix(comma + 1);
  }
  return false;
}

inline bool must_run() {
  const char* wanted = std::getenv("DRYDOCK_MUST");
  return wanted != nullptr && must_run(wanted, DRYDOCK_TEST_CLASS);
}

}  // namespace drydock::test

#if DRYDOCK_CATCH_MAJOR >= 3
#define DRYDOCK_SKIP_NOW(reason) SKIP(reason)
#else
// Version 2 cannot skip: say it, and leave the test case.
#define DRYDOCK_SKIP_NOW(reason)                                                                               \
  do {                                                                                                         \
    std::cout << "SKIP (" << (reason) << "): " << Catch::getResultCapture().getCurrentTestName() << std::endl; \
    return;                                                                                                    \
  } while (false)
#endif

// Only in the body of a test case (version 2 returns from it), never in a helper.
#define DRYDOCK_SKIP(reason)                                                                        \
  do {                                                                                              \
    if (::drydock::test::must_run()) FAIL("must not be skipped here (DRYDOCK_MUST): " << (reason)); \
    DRYDOCK_SKIP_NOW(reason);                                                                       \
  } while (false)
