// What a chapter's grade.cpp says: its checks, their points, and how each is seen.
//
// A check belongs to a function and has its number and a letter: 02.1b is the second check of the first function. It starts the
// student's program in a box of its own and looks from outside; random values come from its own stream of the seed.
//
// Example: const Registration registration({"02", {{"1a", "a UTS namespace of its own", 25, {}, own_namespace}}});
// Source: docs/writing-exercises.md.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <drydock/lab/build.hpp>
#include <drydock/lab/seed.hpp>
#include <drydock/lab/verdict.hpp>
#include <drydock/lab/witness.hpp>

namespace drydock::lab {

// What a check works with.
class Bench {
 public:
  Bench(const Machine& machine, const Kit& kit, const std::string& program, Random random)
      : machine_(machine), kit_(kit), program_(program), random_(std::move(random)) {}

  Random& random() { return random_; }
  // A fresh box; `words` is what runs in it: /lab/program with its words, or /lab/probe.
  std::unique_ptr<Box> start(Words words, BoxLimits limits = {}) const;
  const std::string& probe() const { return kit_.probe; }

  // Waits until the probe with these words stands in the box.
  std::optional<pid_t> wait_for_probe(Box& box, const Words& words, int timeout_ms = 4000) const;

 private:
  const Machine& machine_;
  const Kit& kit_;
  const std::string& program_;
  Random random_;
};

// FAIL because a probe was never seen: how the box ended and what it said last, the usual explanation.
Verdict not_seen(Box& box, const std::string& expected, const std::string& why);

struct Check {
  std::string id;  // "1b"
  std::string title;
  int points = 0;
  Words functions;     // whose code it needs beside its own function's
  std::string parent;  // id of the check without which there is nothing to be seen
  std::function<Verdict(Bench&)> run;
};

struct Exercise {
  std::string chapter;  // "02"
  std::vector<Check> checks;
};

// Objects of this type at namespace scope make the table below.
struct Registration {
  explicit Registration(Exercise exercise);
};
const std::vector<Exercise>& all_exercises();

}  // namespace drydock::lab
