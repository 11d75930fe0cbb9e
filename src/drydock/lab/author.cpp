#include <drydock/lab/author.hpp>

#include <algorithm>
#include <set>

#include <drydock/kernel/error.hpp>
#include <drydock/kernel/sys.hpp>
#include <drydock/lab/report.hpp>

namespace drydock::lab {

namespace {

constexpr int points_per_chapter = 100;
constexpr std::size_t fewest_mutants = 3;

// Words behind "// MARK " at the beginnings of lines.
Words marked(const std::string& text, const std::string& mark) {
  Words words;
  const std::string wanted = "// " + mark + " ";
  for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) {
    if (text.compare(at, wanted.size(), wanted) == 0) {
      std::string rest = text.substr(at + wanted.size(), text.find('\n', at) - at - wanted.size());
      for (std::size_t space; !rest.empty(); rest = space == std::string::npos ? "" : rest.substr(space + 1))
        words.push_back(rest.substr(0, space = rest.find(' ')));
    }
    if (text.find('\n', at) == std::string::npos) break;
  }
  return words;
}

std::string joined(const std::set<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text.empty() ? "nothing" : text;
}

class Gate {
 public:
  Gate(const Machine& machine, const Course& course, const Chapter& chapter, const Exercise& exercise,
       const std::function<void(const std::string&)>& say)
      : machine_(machine), kit_(course.kit(chapter)), chapter_(chapter), exercise_(exercise), say_(say) {}

  std::vector<std::string> run() {
    sources();
    reference();
    stub();
    const auto mutants = mutants_of(chapter_);
    expect("at least three mutants", mutants.size() >= fewest_mutants, std::to_string(mutants.size()));
    for (const Mutant& each : mutants) mutant(each);
    return std::move(wrong_);
  }

 private:
  void expect(const std::string& what, bool holds, const std::string& observed) {
    if (holds)
      say_(chapter_.name + ": " + what);
    else
      wrong_.push_back(chapter_.name + ": " + what + ": " + observed);
  }

  // Reads, strips and counts; runs nothing.
  void sources() {
    int points = 0;
    for (const Check& check : exercise_.checks) points += check.points;
    expect("100 points", points == points_per_chapter, std::to_string(points));
    for (const Unit& unit : chapter_.source.units) {
      hints_of(chapter_, unit.id);  // throws
      const std::string once = student_text(chapter_.source, unit);
      expect(unit.function + ": what students get is the same each time, and stripping it again changes nothing",
             once == student_text(chapter_.source, unit) && strip(once) == once, "it differs");
      std::string told;
      for (const std::string& line : telling_lines(unit.text))
        if (once.find(line) != std::string::npos) told = line;
      expect(unit.function + ": no line of the solution in what students get", told.empty(), told);
    }
  }

  Report graded(const Submission& submission) {
    GradeOptions options;
    options.seed = fresh_seed();
    options.run_untouched = true;
    return grade(machine_, kit_, exercise_, submission, options);
  }

  static std::set<std::string> with(const Report& report, Outcome outcome) {
    std::set<std::string> ids;
    for (const Result& result : report.results)
      if (result.verdict.outcome == outcome) ids.insert(result.id.substr(3));
    return ids;
  }

  static std::string lines(const Report& report) {
    std::string text = "\n" + compiler_text(report);
    for (const Result& result : report.results)
      if (result.verdict.outcome != Outcome::ok) text += line_of(result, report.seed);
    return text;
  }

  void reference() {
    const Report report = graded(reference_submission(chapter_));
    expect("the reference has full marks, and leaves nothing", report.exit_code() == 0 && report.diagnostics.empty(),
           lines(report));
  }

  void stub() {
    const Submission submission = stub_submission(chapter_);
    const Built built = build(machine_, kit_, submission.files);
    expect("the stubs compile without a warning", !built.program.empty() && built.diagnostics.empty(), built.diagnostics);
    expect("their program has nothing of ours in it", built.program.find("drydock") == std::string::npos, "a name of the core");
    const Report report = graded(submission);
    expect("the stubs have no point, and nothing is OK",
           report.earned() == 0 && !report.has(Outcome::ok) && !report.has(Outcome::error), lines(report));
  }

  void mutant(const Mutant& mutant) {
    const Report report = graded(mutant_submission(chapter_, mutant.function, mutant.text));
    const std::set<std::string> fail(mutant.fail.begin(), mutant.fail.end()),
        blocked(mutant.blocked.begin(), mutant.blocked.end());
    const bool exact = with(report, Outcome::fail) == fail && with(report, Outcome::blocked) == blocked &&
                       !report.has(Outcome::error) && report.broken.empty();
    expect("mutant " + mutant.name + " fails " + joined(fail) + " and no other", exact && !fail.empty(),
           "FAIL " + joined(with(report, Outcome::fail)) + ", BLOCKED " + joined(with(report, Outcome::blocked)) + lines(report));
  }

  const Machine& machine_;
  const Kit kit_;
  const Chapter& chapter_;
  const Exercise& exercise_;
  const std::function<void(const std::string&)>& say_;
  std::vector<std::string> wrong_;
};

}  // namespace

std::vector<Mutant> mutants_of(const Chapter& chapter) {
  std::vector<Mutant> mutants;
  const std::string folder = chapter.folder + "/mutants";
  for (const std::string& name : sys::exists(folder) ? sys::list_directory(folder) : Words()) {
    Mutant mutant{name, "", sys::read_file(folder + "/" + name), {}, {}};
    const Words function = marked(mutant.text, "MUTANT");
    if (function.size() != 1)
      throw Error::refused(folder + "/" + name, "it does not say which function it replaces",
                           "its first line is '// MUTANT function'");
    mutant.function = function.front();
    mutant.fail = marked(mutant.text, "FAIL");
    mutant.blocked = marked(mutant.text, "BLOCKED");
    mutants.push_back(std::move(mutant));
  }
  return mutants;
}

std::vector<std::string> author_check(const Machine& machine, const Course& course, const Chapter& chapter,
                                      const Exercise& exercise, const std::function<void(const std::string&)>& say) {
  return Gate(machine, course, chapter, exercise, say).run();
}

}  // namespace drydock::lab
