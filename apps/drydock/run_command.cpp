// drydock run.
#include <signal.h>

#include <cstdio>

#include <drydock/container/parse.hpp>
#include <drydock/kernel/error.hpp>
#include <drydock/plan/plan.hpp>
#include <drydock/process/exit_status.hpp>

#include "commands.hpp"
#include "output.hpp"
#include "run_options.hpp"
#include "session.hpp"

namespace drydock::cli {

namespace {

int print_plan(const RunRequest& request) {
  const container::Engine engine;
  const plan::Plan plan = engine.plan(request.spec);
  std::string text = request.plan == PlanForm::json ? plan::to_json(plan) : plan::print(plan);
  if (!text.ends_with('\n')) text += '\n';
  print(text);
  return 0;
}

// What was killed may be a child, and the program go on: only its own death is the container's.
void say_out_of_memory(const container::Spec& spec, int code) {
  const std::string who = code == 128 + SIGKILL ? "the container" : "a process in the container";
  const std::string begin = who + " was killed by the kernel's OOM killer: ";
  if (spec.limits.memory)
    say(begin + "it wanted more than its memory limit of " + container::size_words(*spec.limits.memory) + " (-m)");
  else
    say(begin + "this machine ran out of memory");
}

// Options behind the image are the program's; the commonest surprise of a beginner.
void hint_about_order(const container::Spec& spec, int code) {
  if (code == process::exit_not_found && !spec.command.empty() && spec.command[0].starts_with('-'))
    say("'" + spec.command[0] +
        "' stands behind the image, so it was taken for the program; options of drydock go before the image");
}

}  // namespace

int run_command(const Words& words) {
  const auto request = parse_run(words);
  if (!request) return 0;
  if (request->plan != PlanForm::none) return print_plan(*request);
  const std::string impossible = why_impossible();
  if (!impossible.empty()) throw Error::refused("drydock run", impossible);
  try {
    container::Engine engine = open_engine(true);
    container::RunOptions options = request->options;
    options.on_warning = say_warning;
    options.parting = true;
    const container::Outcome outcome = engine.run(request->spec, options);
    if (request->spec.detach) {
      print(outcome.id + "\n");
      return 0;
    }
    if (outcome.out_of_memory) say_out_of_memory(request->spec, outcome.exit_code);
    hint_about_order(request->spec, outcome.exit_code);
    return outcome.exit_code;
  } catch (...) {
    const int code = run_exit_code(std::current_exception());
    say(sentence(std::current_exception()));
    hint_about_order(request->spec, code);
    return code;
  }
}

}  // namespace drydock::cli
