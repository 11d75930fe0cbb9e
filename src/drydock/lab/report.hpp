// A report for eyes and for programs.
//
// Example: print_line(result, seed); ... print_end(report);
//          ResultFile file("result.json", "02", seed); ...; file.write(report);
// Source: docs/result.schema.json.
#pragma once

#include <string>

#include <drydock/lab/grade.hpp>

namespace drydock::lab {

// One line a check; a FAIL has five more: expected, observed, where, why, replay.
std::string line_of(const Result& result, const std::string& seed);
// What the compiler said, if it said something.
std::string compiler_text(const Report& report);
// "70 / 100 / 100  earned / gradable here / total" for a whole grading, and what was left behind.
std::string end_of(const Report& report);

// Canonical JSON.
std::string to_json(const Report& report);

// A file that is valid at every moment: first it says that grading did not finish, at the end it is replaced by the report.
class ResultFile {
 public:
  // An empty path: no file.
  ResultFile(std::string path, const std::string& chapter, const std::string& seed);
  void write(const Report& report) const;

 private:
  std::string path_;
};

}  // namespace drydock::lab
