// The sentence with which an action is refused; empty when it is not.
//
// Example: CHECK(mentions(refusal([] { parse_size("--memory", "12Q"); }), "12Q"));
// Source: src/drydock/kernel/error.hpp
#pragma once

#include <drydock/kernel/error.hpp>

#include <string>

#include "support/catch.hpp"

namespace drydock::test {

template <typename Action>
std::string refusal(Action action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

// The same, for what a user can type: it must carry a remedy.
template <typename Action>
std::string refusal_with_remedy(Action action) {
  try {
    action();
  } catch (const Error& error) {
    CHECK_FALSE(error.remedy().empty());
    return error.what();
  }
  return "";
}

inline bool mentions(const std::string& text, const std::string& words) {
  return text.find(words) != std::string::npos;
}

}  // namespace drydock::test
