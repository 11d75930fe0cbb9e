// The commands of the course, one function each; the result is the exit status of the program.
//
//   0 full marks   1 marks lost   2 usage   3 does not compile   4 incomplete   70 our fault   77 all skipped
#pragma once

#include <string>
#include <vector>

#include <drydock/lab/course.hpp>

namespace drydock::lab {

inline constexpr int exit_usage = 2, exit_ours = 70;

// To standard output, at once.
void print(const std::string& text);

// "02.1b" is chapter 02 and filter "1b"; "02" has no filter.
struct Target {
  std::string chapter, filter;
};
Target parse_target(const std::string& text);
// A function's number: "02.1". Throws Error for anything else.
std::string function_of(const Target& target);
const Exercise& exercise_of(const Chapter& chapter);

struct CheckOptions {
  std::string target, seed, folder, result_path;
  std::string key_path, student;  // staff: the seed is made of the course's key and the student's id
  bool confirm = false;
};

int list_command();
int start_command(const std::string& chapter);
int try_command(const std::string& chapter, const std::vector<std::string>& words);
int check_command(const CheckOptions& options);
int hint_command(const std::string& target, int level);
int explain_command(const std::string& chapter);
int restore_command(const std::string& target, bool yes);
int author_check_command(const std::vector<std::string>& chapters);

}  // namespace drydock::lab
