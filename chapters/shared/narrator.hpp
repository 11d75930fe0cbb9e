// Who speaks in a chapter. Two kinds of lines, and the compiler keeps them apart:
//
//  - written: titles, questions, steps, remarks. They take a literal, so nothing observed can get into them.
//  - observed: show(fact, value, predicate). The only way to print what the kernel said. The line says "ok" or "WRONG", and a
//    WRONG one makes the program end with status 1. DRYDOCK_FLIP=all (or the number of a line) turns predicates round: a test
//    does that and wants to see WRONG, so no line can be a claim that nothing checks.
//
// Example: tell.question("Whose name does sethostname() change?");
//          tell.step("a child with a UTS namespace of its own calls sethostname(\"lab02\")");
//          tell.show("hostname", Sides{host, container}, differ());
// Source: docs/writing-chapters.md.
#pragma once

#include <string>
#include <vector>

#include "shared/predicates.hpp"

namespace drydock::chapter {

// Text of the program's source. Only the compiler can make one.
class Literal {
 public:
  consteval Literal(const char* text) : text_(text) {}
  const char* text() const { return text_; }

 private:
  const char* text_;
};

struct Options {
  bool explain = false;  // stop at each question and step, and at each step of the plan
  bool json = false;
  bool color = false;
  std::string trace;  // file for the steps of every plan that was launched
};

struct Observation {
  std::string fact, host, container;  // one-sided facts have no container
  bool two_sided = false;
  std::string expected;
  bool evident = false;
  bool holds = false;
};

class Narrator {
 public:
  explicit Narrator(Options options);

  // Written.
  void title(const std::string& text);  // of the registry: name and question of what runs
  void question(Literal text);          // predict before you read on
  void step(Literal text);              // what is done now
  void say(Literal text);               // a remark
  void result(Literal text);            // what to take home

  // Observed.
  template <typename Value, typename Test>
  void show(const std::string& fact, const Value& seen, const Predicate<Test>& predicate) {
    record({fact, text(seen), "", false, predicate.words, predicate.evident, predicate.test(seen)});
  }
  template <typename Value, typename Test>
  void show(const std::string& fact, const Sides<Value>& seen, const Predicate<Test>& predicate) {
    record({fact, text(seen.host), text(seen.container), true, predicate.words, predicate.evident, predicate.test(seen)});
  }

  const Options& options() const { return options_; }
  const std::vector<Observation>& observations() const { return observations_; }
  bool all_hold() const;

 private:
  void record(Observation observation);
  void print(const Observation& observation);
  void write(const char* word, const char* style, const std::string& text);
  void wait_for_reader() const;

  Options options_;
  std::vector<Observation> observations_;
  bool in_table_ = false;
};

// "ok" in green, where colours are wanted.
std::string styled(const std::string& word, const char* style, bool color);
namespace style {
inline constexpr const char* good = "32";
inline constexpr const char* bad = "31;1";
inline constexpr const char* strong = "1";
inline constexpr const char* quiet = "36";
}  // namespace style

// `text` in lines of at most 80 columns, all but the first indented by `indent`.
std::string wrapped(const std::string& text, std::size_t indent);

}  // namespace drydock::chapter
