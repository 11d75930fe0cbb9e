// The course's tool: exercises are started, tried and checked with it. Usually called as ./lab COMMAND.
#include <cstdio>
#include <exception>

#include <CLI/CLI.hpp>

#include <drydock/kernel/error.hpp>

#include "commands.hpp"

namespace {

using namespace drydock::lab;

// A command line becomes a call: each command leaves what is to be done in `todo`.
struct Commands {
  CLI::App app{"lab: the exercises of the course", "lab"};
  std::function<int()> todo;
  std::string target;
  std::vector<std::string> words;
  CheckOptions check;
  int level = 0;
  bool yes = false;

  CLI::App* add(const std::string& name, const std::string& text, std::function<int()> run) {
    CLI::App* command = app.add_subcommand(name, text);
    command->callback([this, run = std::move(run)] { todo = run; });
    return command;
  }

  Commands() {
    app.require_subcommand(1);
    add("list", "the exercises, and where their files are", list_command);
    add("start", "make the files of a chapter; never over one that is there", [this] { return start_command(target); })
        ->add_option("NN", target, "chapter")
        ->required();
    CLI::App* attempt = add("try", "run your code in a box, ungraded: its words are those of the chapter's driver",
                            [this] { return try_command(target, words); });
    attempt->add_option("NN", target, "chapter")->required();
    attempt->add_option("WORDS", words, "for the driver; without any, it says which it knows");
    CLI::App* grade = add("check", "grade your code: a chapter, a function (02.1) or one check (02.1b)",
                          [this] { return check_command(check); });
    grade->add_option("NN[.k]", check.target, "what to check")->required();
    grade->add_option("--seed", check.seed, "random values of an earlier run");
    CLI::Option* key =
        grade->add_option("--key", check.key_path, "file with the course's secret: the seed is the student's own (staff)");
    grade->add_option("--student", check.student, "whose seed")->needs(key);
    key->needs("--student");
    grade->add_option("--submission", check.folder, "another folder than work/NN-name");
    grade->add_option("--out", check.result_path, "write the result as JSON");
    grade->add_flag("--confirm", check.confirm, "look twice at what fails (staff)");
    CLI::App* hint = add("hint", "a hint for a function, three levels", [this] { return hint_command(target, level); });
    hint->add_option("NN.k", target, "function")->required();
    hint->add_option("--level", level, "1, 2 or 3; without it, one more than last time")->check(CLI::Range(1, 3));
    add("explain", "what the functions of a chapter must do", [this] { return explain_command(target); })
        ->add_option("NN", target, "chapter")
        ->required();
    CLI::App* restore = add("restore", "the untouched file of a function again; yours is kept beside it",
                            [this] { return restore_command(target, yes); });
    restore->add_option("NN.k", target, "function")->required();
    restore->add_flag("--yes", yes, "do not ask");
    CLI::App* author = app.add_subcommand("author", "for those who write exercises")->require_subcommand(1);
    CLI::App* author_check = author->add_subcommand("check", "grade the grader: references, stubs, mutants");
    author_check->add_option("NN", words, "chapters; without any, all");
    author_check->callback([this] { todo = [this] { return author_check_command(words); }; });
  }
};

}  // namespace

int main(int argc, char** argv) {
  Commands commands;
  try {
    commands.app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return commands.app.exit(error) == 0 ? 0 : exit_usage;
  }
  try {
    return commands.todo();
  } catch (const drydock::Error& error) {
    std::fprintf(stderr, "lab: %s\n", error.what());
    return error.code() == 0 ? exit_usage : exit_ours;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "lab: %s\n", error.what());
    return exit_ours;
  }
}
