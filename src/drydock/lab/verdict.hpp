// What a check found: one of five outcomes that are never merged, and for a failure everything that explains it.
//
// Example: return fail({.expected = "a UTS namespace of its own", .observed = "that of the box", .where = "/proc/42/ns/uts",
//                       .why = "unshare(2) with CLONE_NEWUTS must come before the names"});
// Source: docs/instructors.md, "Outcomes".
#pragma once

#include <string>
#include <string_view>

namespace drydock::lab {

enum class Outcome {
  ok,
  fail,
  blocked,  // the check that it stands on did not hold: there was nothing to be seen
  skip,     // this machine cannot show it
  error     // the kit's or the machine's fault, never the student's
};
std::string_view outcome_name(Outcome outcome);  // "OK", "FAIL", ...

struct Finding {
  std::string expected, observed, where, why;
};

struct Verdict {
  Outcome outcome = Outcome::error;
  Finding finding;     // of a FAIL
  std::string reason;  // of the others but OK: which check blocked it, what is missing, what went wrong
};

inline Verdict ok() {
  return {Outcome::ok, {}, {}};
}
inline Verdict fail(Finding finding) {
  return {Outcome::fail, std::move(finding), {}};
}
inline Verdict skip(std::string reason) {
  return {Outcome::skip, {}, std::move(reason)};
}

}  // namespace drydock::lab
