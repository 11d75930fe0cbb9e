#include "shared/narrator.hpp"

#include <unistd.h>
#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include <fmt/format.h>

#include <drydock/process/terminal.hpp>

namespace drydock::chapter {

namespace {

constexpr std::size_t page_width = 80;
constexpr std::size_t indent = 11;      // of everything behind the word at the left
constexpr std::size_t fact_width = 34;  // one-sided
constexpr std::size_t name_width = 24, side_width = 18;

bool is_flipped(std::size_t number) {
  const char* wanted = std::getenv("DRYDOCK_FLIP");
  return wanted != nullptr && (std::string(wanted) == "all" || wanted == std::to_string(number));
}

std::size_t columns(const std::string& text) {  // of UTF-8
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

std::string padded(std::string text, std::size_t width) {
  const std::size_t seen = columns(text);
  if (seen < width) text.append(width - seen, ' ');
  return text;
}

std::string table_line(const Observation& seen, const std::string& words) {
  const bool fits = columns(seen.fact) < name_width && columns(seen.host) < side_width && columns(seen.container) < side_width;
  if (fits) return padded(seen.fact, name_width) + padded(seen.host, side_width) + padded(seen.container, side_width) + words;
  return seen.fact + (words.empty() ? "" : " (" + words + ")") + "\n  host       " + seen.host + "\n  container  " +
         seen.container;
}

std::string plain_line(const Observation& seen, const std::string& words) {
  std::string line = padded(seen.fact + " ", fact_width) + " " + seen.host;
  return words.empty() ? line : line + " (" + words + ")";
}

}  // namespace

std::string styled(const std::string& word, const char* style, bool color) {
  return color ? fmt::format("\033[{}m{}\033[0m", style, word) : word;
}

std::string wrapped(const std::string& text, std::size_t hanging) {
  const std::size_t room = page_width - hanging;
  const std::string next_line = "\n" + std::string(hanging, ' ');
  std::string out;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    std::string line = text.substr(begin, end - begin);
    while (columns(line) > room) {
      const std::size_t space = line.rfind(' ', room), bar = line.rfind('|', room - 1) + 1;  // long words are sets of flags
      std::size_t cut = space == std::string::npos || space <= line.find_first_not_of(' ') ? bar : std::max(space, bar);
      if (cut == 0) cut = line.find(' ', room);
      if (cut == std::string::npos) break;
      out += line.substr(0, line.find_last_not_of(' ', cut - 1) + 1) + next_line;
      line.erase(0, line.find_first_not_of(' ', cut));
    }
    out += line;
    begin = end + 1;
    if (begin <= text.size()) out += next_line;
  }
  return out;
}

Narrator::Narrator(Options options) : options_(std::move(options)) {}

void Narrator::write(const char* word, const char* colour, const std::string& text) {
  if (options_.json) return;
  const std::string label = padded(word, indent - 2);
  std::string rest = label.substr(std::string(word).size());
  fmt::print("  {}{}{}\n", styled(word, colour, options_.color), rest, wrapped(text, indent));
  std::fflush(stdout);
}

void Narrator::wait_for_reader() const {
  if (!options_.explain || options_.json || !process::is_terminal(0) || !process::is_terminal(1)) return;
  std::fputs("           [Enter] ", stdout);
  std::fflush(stdout);
  char key = 0;
  while (::read(0, &key, 1) == 1 && key != '\n') {
  }
}

void Narrator::title(const std::string& text) {
  if (options_.json) return;
  fmt::print("{}\n", styled(wrapped(text, 0), style::strong, options_.color));
  std::fflush(stdout);
}

void Narrator::question(Literal text) {
  if (!options_.json) std::fputs("\n", stdout);
  write("predict", style::quiet, text.text());
  in_table_ = false;
  wait_for_reader();
}

void Narrator::step(Literal text) {
  if (!options_.json) std::fputs("\n", stdout);
  write("step", style::quiet, text.text());
  in_table_ = false;
  wait_for_reader();
}

void Narrator::say(Literal text) {
  write("", style::quiet, text.text());
  in_table_ = false;
}

void Narrator::result(Literal text) {
  if (!options_.json) std::fputs("\n", stdout);
  write("result", style::strong, text.text());
  in_table_ = false;
}

void Narrator::record(Observation observation) {
  if (is_flipped(observations_.size() + 1)) observation.holds = !observation.holds;
  print(observation);
  observations_.push_back(std::move(observation));
}

void Narrator::print(const Observation& seen) {
  if (seen.two_sided && !in_table_) write("", style::quiet, padded("", name_width) + padded("host", side_width) + "container");
  in_table_ = seen.two_sided;
  const std::string words = !seen.holds ? "expected: " + seen.expected : seen.evident ? "" : seen.expected;
  write(seen.holds ? "ok" : "WRONG", seen.holds ? style::good : style::bad,
        seen.two_sided ? table_line(seen, words) : plain_line(seen, words));
}

bool Narrator::all_hold() const {
  return std::all_of(observations_.begin(), observations_.end(), [](const Observation& one) { return one.holds; });
}

}  // namespace drydock::chapter
