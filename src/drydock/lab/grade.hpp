// One grading: files in, a report out. The maximum never changes, whatever happens on the way.
//
// Example: const Report report = grade(machine, course, exercise, submission, {.seed = "5f3a0c"});
//          report.earned(), report.gradable(), report.total()
// Source: docs/instructors.md, "Outcomes".
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <drydock/lab/exercise.hpp>
#include <drydock/lab/source.hpp>

namespace drydock::lab {

// What is graded: the files of the functions as handed in, and their stubs.
struct Submission {
  std::vector<FunctionFile> files;
  std::string digest;  // SHA-256 over names and contents
};

struct Result {
  std::string id;  // "02.1b"
  std::string title;
  int points = 0, earned = 0;
  Verdict verdict;
  bool attempted = true;  // false: the functions that it needs are untouched
  double seconds = 0;
};

struct Report {
  std::string chapter, seed, digest;
  bool filtered = false;  // not all checks ran: there is no total
  bool finished = false;
  std::vector<Result> results;
  std::vector<Broken> broken;  // functions that do not compile
  std::string diagnostics;     // the compiler's warnings
  bool no_program = false;     // nothing could be made that runs
  std::string trouble;         // why it did not finish: the machine's fault
  std::vector<std::string> left_behind;

  int earned() const;
  int gradable() const;  // points of checks that this machine could decide
  int total() const;
  bool has(Outcome outcome) const;
  // 0 full marks, 1 marks lost, 3 nothing compiles, 4 something was skipped, 70 our fault, 77 all skipped.
  int exit_code() const;
};

struct GradeOptions {
  std::string seed;
  std::string filter;          // "1": the checks of one function, "1b": one check; empty: all
  bool run_untouched = false;  // authors: also what was not attempted is run
  bool confirm = false;        // staff: a FAIL is looked at once more; a second opinion that differs is an ERROR
  std::function<void(const Result&)> on_result = [](const Result&) {};
};

Report grade(const Machine& machine, const Kit& kit, const Exercise& exercise, const Submission& submission,
             const GradeOptions& options);

// Ledgers and groups of boxes of this process that are still there.
std::vector<std::string> left_behind(const Machine& machine);

}  // namespace drydock::lab
