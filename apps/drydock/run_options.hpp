// The words of `drydock run` turned into a request: what to run, and how to watch it. Nothing is executed here.
//
// Example: auto request = parse_run({"-it", "--rm", "busybox", "sh"});   // request->spec.command == {"sh"}
// Source: docker-run(1) for names and meanings of the flags.
#pragma once

#include <optional>

#include <drydock/container/container.hpp>

#include "options.hpp"

namespace drydock::cli {

enum class PlanForm { none, text, json };

struct RunRequest {
  container::Spec spec;
  container::RunOptions options;
  PlanForm plan = PlanForm::none;
};

// Empty when help was printed. Error for anything that is not understood, and for options that exclude each other.
std::optional<RunRequest> parse_run(const Words& words);

}  // namespace drydock::cli
