// The one source of an exercise, chapters/NN-name/exercise.cpp, and what is made of it.
//
//   everything before the first function     goes into each of the files below
//   // EXERCISE 02.1 enter_uts               begins a function and its text; each becomes a file of its own, so that an error of
//                                            the compiler in one leaves the others alone
//   // BEGIN SOLUTION ... // END SOLUTION    is taken out for students
//   // STUB: return -ENOSYS;                 inside it: becomes a line of theirs
//
// Example: const Source source = parse_source("02-uts/exercise.cpp", text);
//          write(source.units[0].function + ".cpp", student_text(source, source.units[0]));
// Source: docs/writing-exercises.md.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace drydock::lab {

struct Unit {
  std::string id;        // "02.1"
  std::string function;  // "enter_uts"
  std::string text;      // with its EXERCISE line
};

struct Source {
  std::string preamble;
  std::vector<Unit> units;
  // Throws Error when there is none of that name.
  const Unit& unit(std::string_view function) const;
};

// Throws Error naming file and line: a block that is not closed, or open twice, without STUB line, a STUB line outside of one,
// a function that is named twice, a stub that does not say TODO(id).
Source parse_source(const std::string& name, std::string_view text);

// Without solutions; the same bytes from the same source, and from its own result.
std::string strip(std::string_view text);
// Whole files: what the student gets, what the author wrote.
std::string student_text(const Source& source, const Unit& unit);
std::string reference_text(const Source& source, const Unit& unit);
// Lines of solutions that are long enough to betray them.
std::vector<std::string> telling_lines(std::string_view text);

// Whether two texts are the same to a compiler: comments and white space do not count.
bool same_code(std::string_view a, std::string_view b);

}  // namespace drydock::lab
