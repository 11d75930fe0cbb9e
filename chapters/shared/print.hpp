// What a chapter says about itself without running anything: its list of experiments and its plan. Not for users.
#pragma once

#include <string>

#include "shared/chapter.hpp"
#include "shared/sketch.hpp"

namespace drydock::chapter {

std::string list_text(const Chapter& chapter, bool color);
std::string list_json(const Chapter& chapter);
// The plan with a mark before each step that this chapter adds (+), changes (~) or moves (>), and what it takes away (-).
std::string plan_text(const Chapter& chapter, const Request& request, bool color);
std::string plan_json(const Chapter& chapter, const Request& request);

// The end of one run.
struct Verdict {
  std::string experiment;  // "story" for the story
  std::vector<std::string> items;
  std::string status;  // "ok", "WRONG", "SKIP", "ERROR"
  std::string reason;  // of SKIP and ERROR
  std::vector<Observation> observations;
};
std::string verdicts_json(const Chapter& chapter, const std::vector<Verdict>& verdicts);

}  // namespace drydock::chapter
