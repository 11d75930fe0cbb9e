#include <drydock/facts/report.hpp>

#include <algorithm>

namespace drydock::facts {

namespace {

constexpr std::size_t name_limit = 36;  // longer names get a line of their own

// `text` broken at spaces, the first line behind `lead`, the others below its end.
std::string wrapped(const std::string& lead, const std::string& text, std::size_t width) {
  const std::string indent(lead.size(), ' ');
  std::string page, line = lead;
  bool empty = true;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    const std::string word = text.substr(at, end - at);
    if (!empty && line.size() + 1 + word.size() > width) {
      page += line + "\n";
      line = indent;
      empty = true;
    }
    if (!empty) line += ' ';
    line += word;
    empty = false;
    at = end + 1;
  }
  return page + line + "\n";
}

std::string padded(std::string text, std::size_t width) {
  if (text.size() < width) text.append(width - text.size(), ' ');
  return text;
}

// The width of the name column of one group.
template <typename Rows>
std::size_t name_column(const Rows& all, const std::string& group) {
  std::size_t longest = 0;
  for (const auto& row : all)
    if (row.group == group && row.name.size() <= name_limit) longest = std::max(longest, row.name.size());
  return longest;
}

std::string lead_of(const std::string& name, std::size_t column, std::string& page) {
  if (name.size() <= column) return "  " + padded(name, column) + "  ";
  page += "  " + name + "\n";
  return std::string(column + 4, ' ');
}

// Names may hold any byte; a terminal must not obey them.
std::string printable(std::string text) {
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  return text;
}

}  // namespace

std::string to_text(const Snapshot& snapshot, std::size_t width) {
  std::string page, group;
  const std::vector<Row> all = rows(snapshot);
  std::size_t column = 0;
  for (const Row& row : all) {
    if (row.group != group) {
      group = row.group;
      column = name_column(all, group);
      page += (page.empty() ? "" : "\n") + group + "\n";
    }
    const std::string lead = lead_of(printable(row.name), column, page);
    page += wrapped(lead, printable(row.value), width);
  }
  return page;
}

std::string to_text(const Diff& diff, std::size_t width) {
  std::string page = "a: " + diff.a + "\nb: " + diff.b + "\n" + std::to_string(diff.changes.size()) + " facts differ, " +
                     std::to_string(diff.same) + " are the same\n";
  std::string group;
  std::size_t column = 0;
  for (const Change& change : diff.changes) {
    if (change.group != group) {
      group = change.group;
      column = name_column(diff.changes, group);
      page += "\n" + group + "\n";
    }
    const std::string lead = lead_of(printable(change.name), column, page);
    page += wrapped(lead + "a ", printable(change.a.value_or("-")), width);
    page += wrapped(std::string(lead.size(), ' ') + "b ", printable(change.b.value_or("-")), width);
  }
  return page;
}

}  // namespace drydock::facts
