#include <drydock/lab/source.hpp>

#include <algorithm>

#include <drydock/kernel/error.hpp>

namespace drydock::lab {

namespace {

constexpr std::string_view begin_mark = "// BEGIN SOLUTION", end_mark = "// END SOLUTION",
                           stub_mark = "// STUB: ", exercise_mark = "// EXERCISE ";
constexpr std::size_t telling_length = 20;

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size() - 1);
    lines.push_back(text.substr(0, end + 1));
    text.remove_prefix(end + 1);
  }
  return lines;
}

std::string_view trimmed(std::string_view line) {
  const std::size_t first = line.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return line.substr(first, line.find_last_not_of(" \t\r\n") - first + 1);
}

bool is(std::string_view line, std::string_view mark) {
  return trimmed(line).starts_with(trimmed(mark));
}

// "  // STUB: return 0;\n" to "  return 0;\n".
std::string stub_of(std::string_view line) {
  const std::size_t at = line.find(stub_mark);
  return std::string(line.substr(0, at)) + std::string(line.substr(at + stub_mark.size()));
}

// Walks over the lines and keeps count of where they stand.
class Reader {
 public:
  Reader(std::string name, std::string_view text) : name_(std::move(name)), text_(text) {}

  Source read() {
    for (const std::string_view line : lines_of(text_)) {
      ++number_;
      if (is(line, exercise_mark)) begin_unit(line);
      if (is(line, begin_mark))
        begin_solution();
      else if (is(line, end_mark))
        end_solution();
      else if (is(line, stub_mark))
        stub(line);
      (source_.units.empty() ? source_.preamble : source_.units.back().text) += line;
    }
    if (open_ != 0) refuse("the solution that began in line " + std::to_string(open_) + " is not closed");
    if (source_.units.empty()) refuse("it has no line '// EXERCISE NN.k function'");
    return std::move(source_);
  }

 private:
  [[noreturn]] void refuse(const std::string& why) const {
    throw Error::refused(name_ + ":" + std::to_string(number_), why, "docs/writing-exercises.md shows the format");
  }

  void begin_unit(std::string_view line) {
    if (open_ != 0) refuse("a function begins inside a solution");
    const std::string rest(trimmed(line).substr(exercise_mark.size()));
    const std::size_t space = rest.find(' ');
    if (space == std::string::npos) refuse("an EXERCISE line has a number and a function");
    Unit unit{rest.substr(0, space), rest.substr(space + 1), {}};
    for (const Unit& other : source_.units)
      if (other.function == unit.function || other.id == unit.id) refuse("'" + rest + "' is there twice");
    source_.units.push_back(std::move(unit));
  }

  void begin_solution() {
    if (source_.units.empty()) refuse("a solution belongs to a function");
    if (open_ != 0) refuse("solutions do not nest");
    open_ = number_;
    stubs_ = todo_ = false;
  }

  void stub(std::string_view line) {
    if (open_ == 0) refuse("a STUB line stands inside a solution");
    stubs_ = true;
    todo_ = todo_ || line.find("TODO(" + source_.units.back().id + ")") != std::string_view::npos;
  }

  void end_solution() {
    if (open_ == 0) refuse("no solution is open");
    if (!stubs_) refuse("a solution needs a STUB line: what students get must compile");
    if (!todo_) refuse("its stub does not say TODO(" + source_.units.back().id + ")");
    open_ = 0;
  }

  std::string name_;
  std::string_view text_;
  Source source_;
  int number_ = 0, open_ = 0;
  bool stubs_ = false, todo_ = false;
};

// Without the marks and the stubs.
std::string solved(std::string_view text) {
  std::string out;
  for (const std::string_view line : lines_of(text))
    if (!is(line, begin_mark) && !is(line, end_mark) && !is(line, stub_mark)) out += line;
  return out;
}

}  // namespace

const Unit& Source::unit(std::string_view function) const {
  const auto found = std::find_if(units.begin(), units.end(), [&](const Unit& unit) { return unit.function == function; });
  if (found == units.end())
    throw Error::refused("function '" + std::string(function) + "'", "the exercise has none of that name");
  return *found;
}

Source parse_source(const std::string& name, std::string_view text) {
  return Reader(name, text).read();
}

std::string strip(std::string_view text) {
  std::string out;
  bool inside = false;
  for (const std::string_view line : lines_of(text)) {
    if (is(line, begin_mark))
      inside = true;
    else if (is(line, end_mark))
      inside = false;
    else if (!inside)
      out += line;
    else if (is(line, stub_mark))
      out += stub_of(line);
  }
  return out;
}

std::string student_text(const Source& source, const Unit& unit) {
  return strip(source.preamble + unit.text);
}

std::string reference_text(const Source& source, const Unit& unit) {
  return solved(source.preamble + unit.text);
}

std::vector<std::string> telling_lines(std::string_view text) {
  std::vector<std::string> out;
  bool inside = false;
  for (const std::string_view line : lines_of(text)) {
    if (is(line, begin_mark))
      inside = true;
    else if (is(line, end_mark))
      inside = false;
    else if (inside && !is(line, stub_mark) && trimmed(line).size() >= telling_length)
      out.emplace_back(trimmed(line));
  }
  return out;
}

namespace {

// Everything that a compiler sees, without white space; strings and characters stay whole.
std::string significant(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at];
    if (text.substr(at, 2) == "//") {
      at = std::min(text.find('\n', at), text.size());
    } else if (text.substr(at, 2) == "/*") {
      const std::size_t end = text.find("*/", at + 2);
      at = end == std::string_view::npos ? text.size() : end + 2;
    } else if (c == '"' || c == '\'') {
      std::size_t end = at + 1;
      while (end < text.size() && text[end] != c) end += text[end] == '\\' ? 2 : 1;
      out += text.substr(at, end + 1 - at);
      at = end + 1;
    } else {
      if (std::string_view(" \t\r\n\f\v").find(c) == std::string_view::npos) out += c;
      ++at;
    }
  }
  return out;
}

}  // namespace

bool same_code(std::string_view a, std::string_view b) {
  return significant(a) == significant(b);
}

}  // namespace drydock::lab
