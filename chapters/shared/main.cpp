// The command line that all chapter programs share.
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <functional>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <drydock/kernel/error.hpp>
#include <drydock/kernel/sys.hpp>
#include <drydock/process/exit_status.hpp>
#include <drydock/process/terminal.hpp>

#include "shared/chapter.hpp"
#include "shared/payload.hpp"
#include "shared/print.hpp"

namespace drydock::chapter {

namespace {

constexpr int exit_wrong = 1, exit_usage = 2, exit_skipped = 77;

struct Words {  // of the command line
  Options options;
  bool list = false, plan = false;
  std::vector<std::string> experiments;  // behind `run`
  std::vector<std::string> command;      // behind `--`
  std::string inside;
};

class Session {
 public:
  Session(const Chapter& chapter, Options options) : chapter_(chapter), options_(std::move(options)) {}

  void story();
  void experiment(const Experiment& experiment);
  int finish() const;

 private:
  Verdict run(Verdict verdict, const std::vector<Need>& needs, void (*body)(Narrator&));
  void print_status(const Verdict& verdict) const;

  const Chapter& chapter_;
  Options options_;
  std::vector<Verdict> verdicts_;
};

Verdict Session::run(Verdict verdict, const std::vector<Need>& needs, void (*body)(Narrator&)) {
  Narrator tell(options_);
  verdict.reason = what_is_missing(needs);
  verdict.status = "SKIP";
  if (!verdict.reason.empty()) return verdict;
  try {
    body(tell);
    verdict.status = tell.all_hold() ? "ok" : "WRONG";
  } catch (const std::exception& error) {
    verdict.status = "ERROR";
    verdict.reason = error.what();
  }
  verdict.observations = tell.observations();
  return verdict;
}

void Session::print_status(const Verdict& verdict) const {
  if (options_.json) return;
  const auto kept =
      std::count_if(verdict.observations.begin(), verdict.observations.end(), [](const Observation& one) { return one.holds; });
  const auto all = static_cast<long>(verdict.observations.size());
  if (verdict.status == "SKIP")
    fmt::print("{} ({}): {}\n", styled("SKIP", "33", options_.color), verdict.reason, verdict.experiment);
  else if (verdict.status == "ERROR")
    fmt::print("  {}    {}\n", styled("ERROR", style::bad, options_.color), wrapped(verdict.reason, 11));
  else if (verdict.status == "ok")
    fmt::print("\n  {}   {}: all {} lines hold\n", "status", styled("ok", style::good, options_.color), all);
  else
    fmt::print("\n  {}   {}: {} of {} lines do not hold\n", "status", styled("WRONG", style::bad, options_.color), all - kept,
               all);
  std::fflush(stdout);
}

void Session::story() {
  Narrator(options_).title(fmt::format("Chapter {:02} {}: {}", chapter_.number, chapter_.name, chapter_.idea));
  verdicts_.push_back(run({"story", {}, "", "", {}}, chapter_.needs, chapter_.story));
  print_status(verdicts_.back());
  if (options_.json) return;
  const std::string program = chapter_.program();
  fmt::print("  next     {}\n", wrapped(fmt::format("{0} --list: {1} experiments; {0} --plan: the system calls", program,
                                                    chapter_.experiments.size()),
                                        11));
}

void Session::experiment(const Experiment& experiment) {
  if (!verdicts_.empty() && !options_.json) std::fputs("\n", stdout);
  Narrator(options_).title(experiment.name + ": " + experiment.question);
  verdicts_.push_back(run({experiment.name, experiment.items, "", "", {}}, experiment.needs, experiment.run));
  print_status(verdicts_.back());
}

int Session::finish() const {
  const auto count = [&](const char* status) {
    return std::count_if(verdicts_.begin(), verdicts_.end(), [&](const Verdict& one) { return one.status == status; });
  };
  if (options_.json)
    std::fputs(verdicts_json(chapter_, verdicts_).c_str(), stdout);
  else if (verdicts_.size() > 1)
    fmt::print("\n{} experiments: {} ok, {} WRONG, {} ERROR, {} skipped\n", verdicts_.size(), count("ok"), count("WRONG"),
               count("ERROR"), count("SKIP"));
  if (count("ERROR") > 0) return process::exit_runtime_failed;
  if (count("WRONG") > 0) return exit_wrong;
  return count("ok") == 0 ? exit_skipped : 0;
}

std::vector<const Experiment*> chosen(const Chapter& chapter, const std::vector<std::string>& names) {
  std::vector<const Experiment*> out;
  for (const std::string& name : names) {
    const std::size_t before = out.size();
    for (const Experiment& experiment : chapter.experiments)
      if (name == "all" || name == experiment.name) out.push_back(&experiment);
    if (out.size() == before)
      throw Error::refused("experiment '" + name + "'", chapter.program() + " has none of that name",
                           "'" + chapter.program() + " --list' names them");
  }
  return out;
}

int run_inside(const Chapter& chapter, const std::string& name) {
  for (const Inside& one : chapter.inside)
    if (one.name == name) {
      Talk talk(Fd(::dup(0)), Fd(::dup(1)));
      return one.run(talk);
    }
  throw Error::refused("--inside " + name, "this chapter has no such function");
}

// 126 and 127 are the shell's, for a program that could not be executed or found.
int status_of(const Error& error) {
  if (error.step() != "exec") return process::exit_runtime_failed;
  return error.code() == ENOENT || error.code() == ENOTDIR ? process::exit_not_found : process::exit_not_executable;
}

int run_command(const Chapter& chapter, const Options& options, const std::vector<std::string>& command) {
  if (const std::string missing = what_is_missing(chapter.needs); !missing.empty())
    throw Error::refused(chapter.program(), missing);
  Narrator tell(options);
  try {
    return run_in_foreground(tell, sketch_of(chapter.number, chapter.request(command)));
  } catch (const Error& error) {
    fmt::print(stderr, "{}: {}\n", chapter.program(), error.what());
    return status_of(error);
  }
}

int dispatch(const Chapter& chapter, Words words) {
  if (!words.inside.empty()) return run_inside(chapter, words.inside);
  const std::vector<std::string> command = words.command.empty() ? Request{}.command : words.command;
  if (words.plan) {
    Request request;  // as root would run it: the same text for everybody
    request.command = command;
    std::fputs((words.options.json ? plan_json(chapter, request) : plan_text(chapter, request, words.options.color)).c_str(),
               stdout);
    return 0;
  }
  if (words.list) {
    std::fputs((words.options.json ? list_json(chapter) : list_text(chapter, words.options.color)).c_str(), stdout);
    return 0;
  }
  if (!words.command.empty()) return run_command(chapter, words.options, words.command);
  Session session(chapter, words.options);
  const auto experiments = chosen(chapter, words.experiments);
  if (experiments.empty()) session.story();
  for (const Experiment* experiment : experiments) session.experiment(*experiment);
  return session.finish();
}

bool colors_wanted(bool refused) {
  const char* no = std::getenv("NO_COLOR");  // https://no-color.org
  return !refused && (no == nullptr || *no == '\0') && process::is_terminal(1);
}

}  // namespace

int main(const Chapter& chapter, int argc, char** argv) {
  ::signal(SIGPIPE, SIG_IGN);  // a conversation with a process that has ended is no reason to end
  Words words;
  bool no_color = false;
  const auto split = std::find(argv, argv + argc, std::string("--"));
  words.command.assign(split == argv + argc ? split : split + 1, argv + argc);
  CLI::App app(chapter.idea, chapter.program());
  app.get_formatter()->column_width(20);
  app.footer("Behind '--', a command of your own runs in the container of this chapter:\n  " + chapter.program() + " -- sh");
  app.add_flag("--list", words.list, "the experiments of this chapter");
  app.add_flag("--plan", words.plan, "the system calls of this chapter's container; nothing is made");
  app.add_flag("--explain", words.options.explain, "stop at each step and say why it is there");
  app.add_option("--trace", words.options.trace, "every executed step, one JSON object a line")->type_name("FILE");
  app.add_flag("--json", words.options.json, "the same facts as data");
  app.add_flag("--no-color", no_color, "no colours on a terminal either");
  app.add_option("--inside", words.inside)->group("");
  CLI::App* run = app.add_subcommand("run", "run experiments by name, or all of them");
  run->add_option("EXPERIMENT", words.experiments, "a name from --list, or 'all'")->required();
  run->fallthrough();
  try {
    app.parse(static_cast<int>(split - argv), argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : exit_usage;
  }
  words.options.color = colors_wanted(no_color);
  try {
    if (!words.options.trace.empty()) sys::open(words.options.trace, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    return dispatch(chapter, std::move(words));
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}: {}\n", chapter.program(), error.what());
    return process::exit_runtime_failed;
  }
}

}  // namespace drydock::chapter
