// Values as a chapter prints them. What varies from run to run has a form of its own, so that a transcript in a handout can be
// compared with what the program prints now: a process number is "pid 1234", a time has its unit, anything else that varies is
// "about 1234". tests/chapters/transcript.py knows these forms and no others; every other number must be the same each time.
//
// Example: text(Pid{1234}) == "pid 1234"; text(Outcome{-EPERM}) == "EPERM (Operation not permitted)"
// Source: docs/writing-chapters.md.
#pragma once

#include <sys/types.h>

#include <compare>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

#include <drydock/kernel/raw.hpp>

namespace drydock::chapter {

struct Pid {
  pid_t number = 0;
  auto operator<=>(const Pid&) const = default;
};

struct Time {
  std::uint64_t nanoseconds = 0;
  auto operator<=>(const Time&) const = default;
};

// A count or size that is not the same twice, with its unit: "about 1028 pages".
struct About {
  double value = 0;
  std::string unit = {};
  auto operator<=>(const About& other) const { return value <=> other.value; }
  bool operator==(const About& other) const { return value == other.value; }
};

// The result of a system call as raw::call() gives it: a value, or -errno.
struct Outcome {
  long result = 0;
  bool failed() const { return raw::failed(result); }
  int error() const { return raw::error_of(result); }
};

inline std::string text(std::string_view value) {
  return std::string(value);
}
inline std::string text(const std::string& value) {
  return value;
}
inline std::string text(const char* value) {
  return value;
}
inline std::string text(bool value) {
  return value ? "yes" : "no";
}
template <std::integral Number>
requires(!std::same_as<Number, bool>) std::string text(Number value) {
  return std::to_string(value);
}
std::string text(double value);  // one digit behind the point
std::string text(Pid value);
std::string text(Time value);
std::string text(const About& value);
std::string text(Outcome value);

}  // namespace drydock::chapter
