// From a student's files to a program: the compiler runs in a box too, because a source can make it read, grow and hang.
//
// It sees the compiler and its headers of the host, and nothing else; the program comes out of the box through a pipe, so that
// nobody opens a path in a directory that a student could write. A function that does not compile, or does not link, is
// replaced by its stub, and that is said.
//
// Example: const Built built = build(machine, kit, files);   // built.program is an executable, or empty
// Source: gcc(1); docs/instructors.md, "The box".
#pragma once

#include <string>
#include <vector>

#include <drydock/lab/box.hpp>

namespace drydock::lab {

// What every program of an exercise is made of, beside the functions.
struct Kit {
  std::string probe;           // the static program, its bytes
  std::vector<BoxFile> files;  // exercise.hpp, driver.hpp
  std::string driver;          // driver.cpp
};

struct FunctionFile {
  std::string function, text, stub;
};

struct Broken {
  std::string function, diagnostics;
};

struct Built {
  std::string program;         // empty when not even the stubs make one
  std::vector<Broken> broken;  // functions whose stub stands in
  std::string diagnostics;     // of the program that was made: warnings
};

// Throws Error where the box cannot be made.
Built build(const Machine& machine, const Kit& kit, const std::vector<FunctionFile>& files);

}  // namespace drydock::lab
