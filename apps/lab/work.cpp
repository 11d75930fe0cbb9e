// The student's folder: list, start, hint, explain, restore.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <iostream>

#include <drydock/kernel/error.hpp>
#include <drydock/kernel/sys.hpp>

#include "commands.hpp"

namespace drydock::lab {

namespace {

bool touched(const Chapter& chapter, const Unit& unit, const std::string& path) {
  const auto text = sys::read_file_if_present(path);
  return text && !same_code(*text, student_text(chapter.source, unit));
}

const Unit& unit_of(const Chapter& chapter, const std::string& id) {
  for (const Unit& unit : chapter.source.units)
    if (unit.id == id) return unit;
  throw Error::refused("function " + id, "the chapter has none of that number", "'./lab list' shows them");
}

}  // namespace

void print(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

Target parse_target(const std::string& text) {
  const std::size_t dot = text.find('.');
  return {text.substr(0, dot), dot == std::string::npos ? std::string() : text.substr(dot + 1)};
}

std::string function_of(const Target& target) {
  const std::size_t digits = target.filter.find_first_not_of("0123456789");
  const std::string number = target.filter.substr(0, digits);
  if (number.empty())
    throw Error::refused("'" + target.chapter + "'", "which of its functions is meant",
                         "write its number, for example " + target.chapter + ".1");
  return target.chapter + "." + number;
}

const Exercise& exercise_of(const Chapter& chapter) {
  for (const Exercise& exercise : all_exercises())
    if (exercise.chapter == chapter.number) return exercise;
  throw Error::refused("chapter " + chapter.number, "this program was built without its checks", "build again: ./lab build");
}

int list_command() {
  const Course course = find_course();
  for (const std::string& name : course.chapters()) {
    const Chapter chapter = course.chapter(name);
    const std::string folder = course.work_of(chapter);
    print(name + (sys::exists(folder) ? "  " + folder : "  not started: ./lab start " + chapter.number) + "\n");
    for (const Unit& unit : chapter.source.units)
      print("  " + unit.id + "  " + unit.function +
            (touched(chapter, unit, folder + "/" + unit.function + ".cpp") ? "  attempted" : "") + "\n");
  }
  return 0;
}

int start_command(const std::string& number) {
  const Course course = find_course();
  const Chapter chapter = course.chapter(number);
  const Started started = start_work(course, chapter);
  for (const std::string& path : started.made) print("made  " + path + "\n");
  for (const std::string& path : started.kept) print("kept  " + path + "\n");
  print("Read exercise.hpp there and chapters/" + chapter.name + "/README.md; then: ./lab check " + chapter.number + "\n");
  return 0;
}

int hint_command(const std::string& text, int level) {
  const Course course = find_course();
  const Target target = parse_target(text);
  const Chapter chapter = course.chapter(target.chapter);
  const std::string id = function_of({chapter.number, target.filter});
  const auto hints = hints_of(chapter, id);
  const std::string folder = course.work_of(chapter), memory = folder + "/.hints-" + id;
  if (level == 0) level = std::min(3, std::atoi(sys::read_file_if_present(memory).value_or("0").c_str()) + 1);
  print("hint " + std::to_string(level) + " of 3 for " + id + " " + unit_of(chapter, id).function + "\n" +
        hints[static_cast<std::size_t>(level - 1)] + "\n");
  if (sys::exists(folder)) sys::replace_file(memory, std::to_string(level));
  return 0;
}

int explain_command(const std::string& number) {
  const Chapter chapter = find_course().chapter(number);
  print(sys::read_file(chapter.folder + "/exercise.hpp") + "\n");
  for (const Check& check : exercise_of(chapter).checks)
    print("  " + chapter.number + "." + check.id + "  " + check.title + ", " + std::to_string(check.points) + " points" +
          (check.parent.empty() ? "" : "; needs " + chapter.number + "." + check.parent) + "\n");
  return 0;
}

int restore_command(const std::string& text, bool yes) {
  const Course course = find_course();
  const Target target = parse_target(text);
  const Chapter chapter = course.chapter(target.chapter);
  const auto function = function_of({chapter.number, target.filter});
  const Unit& unit = unit_of(chapter, function);
  const std::string path = course.work_of(chapter) + "/" + unit.function + ".cpp";
  if (sys::exists(path) && touched(chapter, unit, path)) {
    const std::string backup = path + "." + std::to_string(sys::realtime_ns() / 1'000'000'000) + ".bak";
    if (!yes) {
      print("Put the untouched " + unit.function + ".cpp in place? Yours becomes " + backup + " [y/N] ");
      std::string answer;
      std::getline(std::cin, answer);
      if (answer != "y" && answer != "yes") return 1;
    }
    sys::rename(path, backup);
    print("kept  " + backup + "\n");
  } else {
    sys::unlink_if_present(path);
  }
  start_work(course, chapter);
  print("made  " + path + "\n");
  return 0;
}

}  // namespace drydock::lab
