// A chapter: its story, its experiments, and the program chNN-name that runs them.
//
// The table of experiments in demo.cpp is the map of a chapter: name, question, the items of the notes that it shows, what it
// needs, and the function that runs it. docs/notes-coverage.md and docs/errata.md are generated from these tables.
//
// Example: int main(int argc, char** argv) { return drydock::chapter::main({.number = 2, .name = "uts", ...}, argc, argv); }
// Source: docs/writing-chapters.md.
#pragma once

#include <string>
#include <vector>

#include "shared/narrator.hpp"
#include "shared/needs.hpp"
#include "shared/sketch.hpp"
#include "shared/talk.hpp"

namespace drydock::chapter {

struct Experiment {
  std::string name;                // what is typed behind `run`: "pin"
  std::string question;            // one line, asked before it runs
  std::vector<std::string> items;  // of docs/notes-catalogue.tsv: N1-159, E-020, U-10
  std::vector<Need> needs;
  void (*run)(Narrator& tell);
};

// An item of this chapter that no experiment can show, and why.
struct NotShown {
  std::string item, reason;
};

// A function that a payload of this chapter runs as its program: `inside(name)` is its command line. It may be process 1.
struct Inside {
  std::string name;
  int (*run)(Talk& chapter);
};

struct Chapter {
  int number = 0;
  std::string name;  // "uts", as in the folder 02-uts
  std::string idea;  // one line: README.md and --help
  void (*story)(Narrator& tell) = nullptr;
  std::vector<Need> needs = {};  // of the story and of `-- CMD`
  std::vector<Experiment> experiments = {};
  std::vector<NotShown> not_shown = {};
  std::vector<Inside> inside = {};
  // What `-- CMD` runs in: chapters whose containers stand on an image ask for one.
  Request (*request)(std::vector<std::string> command) = [](std::vector<std::string> command) {
    return request_of_this_user(std::move(command));
  };

  std::string program() const;  // "ch02-uts"
};

// The whole program. Exit status: 0; 1 when an observation was WRONG; 77 when everything was skipped; 2 for a wrong command
// line; 125 when something could not be made (the error names step, object, reason and remedy); with `-- CMD` the command's own.
int main(const Chapter& chapter, int argc, char** argv);

}  // namespace drydock::chapter
