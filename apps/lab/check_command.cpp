// check and try: a student's code in the box.
#include <cstdio>

#include <drydock/kernel/error.hpp>
#include <drydock/kernel/sys.hpp>
#include <drydock/lab/report.hpp>

#include "commands.hpp"

namespace drydock::lab {

namespace {

std::string prefixed(const std::string& prefix, const std::string& text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    out += prefix + text.substr(at, end - at) + "\n";
    at = end + 1;
  }
  return out;
}

// One that was given, the student's own, or a new one.
std::string seed_for(const CheckOptions& asked) {
  if (!asked.seed.empty()) return asked.seed;
  return asked.key_path.empty() ? fresh_seed() : seed_of(sys::read_file(asked.key_path), asked.student);
}

}  // namespace

int check_command(const CheckOptions& asked) {
  const Course course = find_course();
  const Target target = parse_target(asked.target);
  const Chapter chapter = course.chapter(target.chapter);
  const Exercise& exercise = exercise_of(chapter);
  const Submission submission = read_submission(chapter, asked.folder.empty() ? course.work_of(chapter) : asked.folder);
  GradeOptions options;
  options.seed = seed_for(asked);
  options.filter = target.filter;
  options.confirm = asked.confirm;
  options.on_result = [&](const Result& result) { print(line_of(result, options.seed)); };
  const ResultFile file(asked.result_path, chapter.number, options.seed);
  print("chapter " + chapter.name + ", seed " + options.seed + "\n");
  const Machine machine = prepare_machine();
  const Report report = grade(machine, course.kit(chapter), exercise, submission, options);
  if (report.results.empty())
    throw Error::refused("'" + asked.target + "'", "no check begins with that",
                         "'./lab explain " + chapter.number + "' lists them");
  file.write(report);
  print(compiler_text(report) + end_of(report));
  return report.exit_code();
}

int try_command(const std::string& number, const std::vector<std::string>& words) {
  const Course course = find_course();
  const Chapter chapter = course.chapter(number);
  const Machine machine = prepare_machine();
  const Kit kit = course.kit(chapter);
  const Built built = build(machine, kit, read_submission(chapter, course.work_of(chapter)).files);
  Report compiler;
  compiler.broken = built.broken;
  compiler.diagnostics = built.diagnostics;
  print(compiler_text(compiler));
  if (built.program.empty()) return 3;
  std::vector<std::string> command{"/lab/program"};
  command.insert(command.end(), words.begin(), words.end());
  const auto box = Bench(machine, kit, built.program, Random("", "")).start(std::move(command));
  const BoxEnd end = box->wait();
  print(prefixed("out | ", end.output) + prefixed("err | ", end.error));
  print(end.exit_code ? "it ended with " + std::to_string(*end.exit_code) + "\n" : "it was stopped\n");
  return 0;
}

}  // namespace drydock::lab
