// Files that hold what the program must print, byte for byte, and pages that are generated from the program's own tables.
//
// DRYDOCK_UPDATE_GOLDEN=1 writes them anew after a change that was meant; the difference is then read in review.
//
// Example: check_golden("tests/unit/golden/full-v2.txt", plan::print(plan));
#pragma once

#include <cstdlib>
#include <fstream>
#include <string>

#include <drydock/kernel/sys.hpp>

#include "support/catch.hpp"

namespace drydock::test {

inline std::string golden_path(const std::string& name) {
  return std::string(DRYDOCK_SOURCE_DIR) + "/" + name;
}

inline std::string first_difference(const std::string& have, const std::string& want) {
  std::size_t line = 1, begin = 0;
  for (std::size_t at = 0; at < have.size() && at < want.size(); ++at) {
    if (have[at] != want[at]) {
      const auto rest = [begin](const std::string& text) { return text.substr(begin, text.find('\n', begin) - begin); };
      return "line " + std::to_string(line) + "\n  now:    " + rest(have) + "\n  golden: " + rest(want);
    }
    if (have[at] == '\n') {
      ++line;
      begin = at + 1;
    }
  }
  return "one is longer than the other: " + std::to_string(have.size()) + " and " + std::to_string(want.size()) + " bytes";
}

// `name` is relative to the top of the project.
inline void check_golden(const std::string& name, const std::string& text) {
  const std::string path = golden_path(name);
  if (const char* update = std::getenv("DRYDOCK_UPDATE_GOLDEN"); update != nullptr && std::string(update) == "1") {
    std::ofstream(path) << text;
    WARN("wrote " << path);
    return;
  }
  const auto golden = sys::read_file_if_present(path);
  REQUIRE(golden.has_value());
  INFO(name << ", " << first_difference(text, *golden));
  CHECK((text == *golden));
}

}  // namespace drydock::test
