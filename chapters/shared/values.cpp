#include "shared/values.hpp"

#include <fmt/format.h>

#include <drydock/kernel/error.hpp>

namespace drydock::chapter {

std::string text(double value) {
  return fmt::format("{:.1f}", value);
}

std::string text(Pid value) {
  return "pid " + std::to_string(value.number);
}

std::string text(Time value) {
  const double us = static_cast<double>(value.nanoseconds) / 1000;
  if (us < 1000) return fmt::format("{:.0f} us", us);
  if (us < 1'000'000) return fmt::format("{:.1f} ms", us / 1000);
  return fmt::format("{:.2f} s", us / 1'000'000);
}

std::string text(const About& value) {
  const std::string number = value.value < 10 ? fmt::format("{:.2g}", value.value) : fmt::format("{:.0f}", value.value);
  return "about " + number + (value.unit.empty() ? "" : " " + value.unit);
}

std::string text(Outcome value) {
  if (!value.failed()) return "it succeeds";
  return errno_name(value.error()) + " (" + errno_text(value.error()) + ")";
}

}  // namespace drydock::chapter
