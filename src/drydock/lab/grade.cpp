#include <drydock/lab/grade.hpp>

#include <algorithm>

#include <drydock/kernel/error.hpp>
#include <drydock/kernel/sys.hpp>

namespace drydock::lab {

namespace {

// The checks of one grading, run in their order: a parent comes before what stands on it.
class Grader {
 public:
  Grader(const Machine& machine, const Kit& kit, const Exercise& exercise, const Submission& submission,
         const GradeOptions& options)
      : machine_(machine), kit_(kit), exercise_(exercise), submission_(submission), options_(options) {
    report_.chapter = exercise.chapter;
    report_.seed = options.seed;
    report_.digest = submission.digest;
    report_.filtered = !options.filter.empty();
  }

  Report run() {
    for (const Check& check : exercise_.checks) report_.results.push_back(blank(check));
    if (nothing_attempted() || make_program())
      for (std::size_t at = 0; at < exercise_.checks.size(); ++at) decide(at);
    std::erase_if(report_.results, [&](const Result& result) { return !wanted(result.id); });
    report_.finished = true;
    return std::move(report_);
  }

 private:
  Result blank(const Check& check) const {
    Result result;
    result.id = exercise_.chapter + "." + check.id;
    result.title = check.title;
    result.points = check.points;
    result.verdict = {Outcome::error, {}, "grading did not come to it"};
    return result;
  }

  bool wanted(const std::string& id) const { return id.substr(id.find('.') + 1).starts_with(options_.filter); }

  // The function whose number begins the check's id, and those that it names.
  Words functions_of(const Check& check) const {
    Words functions = check.functions;
    const std::size_t number = static_cast<std::size_t>(std::stoi(check.id));
    if (number >= 1 && number <= submission_.files.size()) functions.push_back(submission_.files[number - 1].function);
    return functions;
  }

  bool touched(const std::string& function) const {
    const auto file = std::find_if(submission_.files.begin(), submission_.files.end(),
                                   [&](const FunctionFile& each) { return each.function == function; });
    return file != submission_.files.end() && !same_code(file->text, file->stub);
  }

  std::optional<std::string> first_of(const Check& check, const std::function<bool(const std::string&)>& holds) const {
    for (const std::string& function : functions_of(check))
      if (holds(function)) return function;
    return std::nullopt;
  }

  bool nothing_attempted() const {
    return !options_.run_untouched && std::none_of(submission_.files.begin(), submission_.files.end(),
                                                   [&](const FunctionFile& file) { return touched(file.function); });
  }

  // False when the compiler's box could not be had: every check is an ERROR then, none a zero.
  bool make_program() {
    try {
      Built built = build(machine_, kit_, submission_.files);
      report_.broken = std::move(built.broken);
      report_.diagnostics = std::move(built.diagnostics);
      report_.no_program = built.program.empty();
      program_ = std::move(built.program);
      return true;
    } catch (const Error& error) {
      for (Result& result : report_.results) {
        result.verdict.reason = error.what();
        if (wanted(result.id)) options_.on_result(result);
      }
      return false;
    }
  }

  bool is_broken(const std::string& function) const {
    return std::any_of(report_.broken.begin(), report_.broken.end(),
                       [&](const Broken& broken) { return broken.function == function; });
  }

  const Result& result_of(const std::string& id) const {
    const auto found = std::find_if(report_.results.begin(), report_.results.end(),
                                    [&](const Result& result) { return result.id == exercise_.chapter + "." + id; });
    if (found == report_.results.end()) throw Error::refused("check " + id, "another check stands on it, and it does not exist");
    return *found;
  }

  // Everything that decides a check without running it.
  std::optional<Verdict> without_running(const Check& check, Result& result) const {
    if (const auto broken = first_of(check, [&](const std::string& name) { return is_broken(name); }))
      return fail({*broken + " compiles", "it does not", *broken + ".cpp",
                   "the compiler's message stands above; the other functions are graded without it"});
    if (!options_.run_untouched)
      if (const auto untouched = first_of(check, [&](const std::string& name) { return !touched(name); })) {
        result.attempted = false;
        return fail({*untouched + " is written", "not attempted: it is the stub", *untouched + ".cpp",
                     "the text of the exercise stands in exercise.hpp"});
      }
    if (check.parent.empty()) return std::nullopt;
    const Result& parent = result_of(check.parent);
    if (parent.verdict.outcome == Outcome::ok) return std::nullopt;
    if (parent.verdict.outcome == Outcome::skip || parent.verdict.outcome == Outcome::error)
      return Verdict{parent.verdict.outcome, {}, parent.id + ": " + parent.verdict.reason};
    return Verdict{Outcome::blocked, {}, "it stands on " + parent.id + ", which does not hold"};
  }

  Verdict run_once(const Check& check) {
    try {
      Bench bench(machine_, kit_, program_, Random(options_.seed, exercise_.chapter + "." + check.id));
      return check.run(bench);
    } catch (const Error& error) {
      // The last step of a box is the student's program itself: one that cannot be executed is not the machine's fault.
      if (error.step() == "exec")
        return fail(
            {"a program that can be executed", error.what(), "execve(2)", "what was compiled is no program of this machine"});
      return {Outcome::error, {}, error.what()};
    }
  }

  Verdict see(const Check& check, Result& result) {
    if (const auto decided = without_running(check, result)) return *decided;
    const Verdict verdict = run_once(check);
    if (!options_.confirm || verdict.outcome != Outcome::fail) return verdict;
    const Verdict again = run_once(check);
    if (again.outcome == verdict.outcome) return verdict;
    return {Outcome::error, {}, "two runs with one seed disagree: " + verdict.finding.observed};
  }

  void decide(std::size_t at) {
    const Check& check = exercise_.checks[at];
    if (!needed(check)) return;
    Result& result = report_.results[at];
    const std::uint64_t begin = sys::monotonic_ns();
    result.verdict = see(check, result);
    result.seconds = static_cast<double>(sys::monotonic_ns() - begin) / 1e9;
    result.earned = result.verdict.outcome == Outcome::ok ? result.points : 0;
    if (wanted(result.id)) options_.on_result(result);
  }

  // A check that was not asked for runs when one that was stands on it.
  bool needed(const Check& check) const {
    if (wanted(exercise_.chapter + "." + check.id)) return true;
    return std::any_of(exercise_.checks.begin(), exercise_.checks.end(),
                       [&](const Check& other) { return other.parent == check.id && needed(other); });
  }

  const Machine& machine_;
  const Kit& kit_;
  const Exercise& exercise_;
  const Submission& submission_;
  const GradeOptions& options_;
  Report report_;
  std::string program_;
};

}  // namespace

int Report::earned() const {
  int sum = 0;
  for (const Result& result : results) sum += result.earned;
  return sum;
}

int Report::gradable() const {
  int sum = 0;
  for (const Result& result : results)
    sum += result.verdict.outcome == Outcome::skip || result.verdict.outcome == Outcome::error ? 0 : result.points;
  return sum;
}

int Report::total() const {
  int sum = 0;
  for (const Result& result : results) sum += result.points;
  return sum;
}

bool Report::has(Outcome outcome) const {
  return std::any_of(results.begin(), results.end(), [&](const Result& result) { return result.verdict.outcome == outcome; });
}

int Report::exit_code() const {
  if (!finished || has(Outcome::error) || !left_behind.empty()) return 70;
  if (no_program) return 3;
  if (!results.empty() && gradable() == 0) return 77;
  if (has(Outcome::skip)) return 4;
  return earned() == total() ? 0 : 1;
}

Report grade(const Machine& machine, const Kit& kit, const Exercise& exercise, const Submission& submission,
             const GradeOptions& options) {
  Report report = Grader(machine, kit, exercise, submission, options).run();
  report.left_behind = left_behind(machine);
  return report;
}

std::vector<std::string> left_behind(const Machine& machine) {
  std::vector<std::string> left;
  for (const std::string& path : *machine.made)
    if (sys::exists(path)) left.push_back(path);
  return left;
}

}  // namespace drydock::lab
