// Catch2 in whichever major version this Debian has: 2 (Debian 12, one header) or 3 (Debian 13, many).
//
// Example: #include "support/catch.hpp"
// Source: https://github.com/catchorg/Catch2/blob/devel/docs/migrate-v2-to-v3.md
#pragma once

#include <string>

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#define DRYDOCK_CATCH_MAJOR 3
// Version 3 moved these into the namespace; tests use the short names of version 2.
using Catch::Approx;
using Catch::Matchers::ContainsSubstring;
#else
#include <catch2/catch.hpp>
#define DRYDOCK_CATCH_MAJOR 2
// The matcher's name in version 3.
inline auto ContainsSubstring(const std::string& text) {
  return Catch::Contains(text);
}
#endif
