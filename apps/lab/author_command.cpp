// author check: the gate through which an exercise passes before students see it.
#include <cstdio>

#include <drydock/lab/author.hpp>

#include "commands.hpp"

namespace drydock::lab {

int author_check_command(const std::vector<std::string>& asked) {
  const Course course = find_course();
  const Machine machine = prepare_machine();
  const auto say = [](const std::string& line) {
    std::printf("ok     %s\n", line.c_str());
    std::fflush(stdout);
  };
  std::size_t wrong = 0;
  for (const std::string& name : asked.empty() ? course.chapters() : asked) {
    const Chapter chapter = course.chapter(name);
    for (const std::string& line : author_check(machine, course, chapter, exercise_of(chapter), say)) {
      std::printf("WRONG  %s\n", line.c_str());
      ++wrong;
    }
  }
  std::printf("%zu wrong\n", wrong);
  return wrong == 0 ? 0 : 1;
}

}  // namespace drydock::lab
