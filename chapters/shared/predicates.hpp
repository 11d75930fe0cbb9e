// What an observed value must be for a line to say "ok". A predicate knows itself in words: a line that says WRONG quotes it.
//
// Example: tell.show("exit status", status.code(), is(7));
//          tell.show("hostname", Sides{outside, inside}, differ());
//          tell.show("the 33rd level", outcome, fails_with(ENOSPC));
// Source: docs/writing-chapters.md.
#pragma once

#include <concepts>
#include <string>
#include <utility>

#include <drydock/kernel/error.hpp>

#include "shared/values.hpp"

namespace drydock::chapter {

// The same fact on both sides.
template <typename Value>
struct Sides {
  Value host, container;
};
template <typename Value>
Sides(Value, Value) -> Sides<Value>;

template <typename Test>
struct Predicate {
  std::string words;  // "at most 10"
  Test test;
  bool evident = false;  // the value alone says it: the words are printed only when it does not hold
};
template <typename Test>
Predicate(std::string, Test, bool) -> Predicate<Test>;
template <typename Test>
Predicate(std::string, Test) -> Predicate<Test>;

namespace detail {
template <typename A, typename B>
bool equal(const A& a, const B& b) {
  if constexpr (std::integral<A> && std::integral<B> && !std::same_as<A, bool> && !std::same_as<B, bool>)
    return std::cmp_equal(a, b);
  else
    return a == b;
}
template <typename A, typename B>
bool less(const A& a, const B& b) {
  if constexpr (std::integral<A> && std::integral<B>)
    return std::cmp_less(a, b);
  else
    return a < b;
}
}  // namespace detail

template <typename Value>
auto is(Value wanted) {
  return Predicate{text(wanted), [wanted](const auto& seen) { return detail::equal(seen, wanted); }, true};
}
inline auto is(const char* wanted) {
  return is(std::string(wanted));
}
template <typename Value>
auto is_not(Value unwanted) {
  return Predicate{"not " + text(unwanted), [unwanted](const auto& seen) { return !detail::equal(seen, unwanted); }};
}
inline auto is_not(const char* unwanted) {
  return is_not(std::string(unwanted));
}
template <typename Value>
auto at_least(Value bound) {
  return Predicate{"at least " + text(bound), [bound](const auto& seen) { return !detail::less(seen, bound); }};
}
template <typename Value>
auto at_most(Value bound) {
  return Predicate{"at most " + text(bound), [bound](const auto& seen) { return !detail::less(bound, seen); }};
}
inline auto contains(std::string part) {
  return Predicate{"with '" + part + "'", [part](const std::string& seen) { return seen.find(part) != std::string::npos; }, true};
}
inline auto lacks(std::string part) {
  return Predicate{"without '" + part + "'", [part](const std::string& seen) { return seen.find(part) == std::string::npos; }};
}
inline auto succeeds() {
  return Predicate{"it succeeds", [](Outcome seen) { return !seen.failed(); }, true};
}
inline auto fails_with(int error) {
  return Predicate{text(Outcome{-error}), [error](Outcome seen) { return seen.error() == error; }, true};
}
// Any test of one's own, with the words that say what is wanted.
template <typename Test>
auto satisfies(std::string words, Test test) {
  return Predicate{std::move(words), std::move(test)};
}

// Of two sides.
inline auto differ() {
  return Predicate{"differ", [](const auto& sides) { return !detail::equal(sides.host, sides.container); }};
}
inline auto same() {
  return Predicate{"same", [](const auto& sides) { return detail::equal(sides.host, sides.container); }};
}
template <typename Value>
auto are(Value host, Value container) {
  return Predicate{
      text(host) + " and " + text(container),
      [=](const auto& sides) { return detail::equal(sides.host, host) && detail::equal(sides.container, container); }, true};
}
inline auto are(const char* host, const char* container) {
  return are(std::string(host), std::string(container));
}

}  // namespace drydock::chapter
