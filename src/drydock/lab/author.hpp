// Grading the grader: what an exercise must show before a student sees it.
//
// Example: const std::vector<std::string> wrong = author_check(machine, course, chapter, exercise, say);
// Source: docs/writing-exercises.md, "What author check asks".
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <drydock/lab/course.hpp>

namespace drydock::lab {

// A wrong answer that somebody could give, and exactly what it must cost: `// MUTANT enter_uts`, `// FAIL 1b`, `// BLOCKED 1c`
// lines, then the function.
struct Mutant {
  std::string name, function, text;
  Words fail, blocked;
};
std::vector<Mutant> mutants_of(const Chapter& chapter);

// Runs everything; `say` hears one line for each thing that holds. The result is what does not hold.
std::vector<std::string> author_check(const Machine& machine, const Course& course, const Chapter& chapter,
                                      const Exercise& exercise, const std::function<void(const std::string&)>& say);

}  // namespace drydock::lab
