// Snapshots for people and programs: rows, the difference of two, aligned text, JSON.
//
// Rows are the common form: each fact has a group ("namespaces"), a name ("net") and a value ("4026531840"). Text prints rows,
// and the difference of two snapshots is the difference of their rows.
//
// Example: std::string text = facts::to_text(facts::diff(facts::take(getpid()), facts::take(pid)));
// Source: the facts themselves are described in snapshot.hpp.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <drydock/facts/snapshot.hpp>

namespace drydock::facts {

inline constexpr std::size_t page_width = 80;

struct Row {
  std::string group, name, value;
  bool operator==(const Row&) const = default;
};

// Every fact once, in a fixed order; names are unique within a group (a second mount on /tmp is "/tmp #2").
std::vector<Row> rows(const Snapshot& snapshot);

struct Change {
  std::string group, name;
  std::optional<std::string> a, b;  // empty: the fact does not exist on that side
};

struct Diff {
  std::string a, b;  // who was compared: "process 12 (sh)"
  std::vector<Change> changes;
  std::size_t same = 0;  // facts that are equal
};

// Facts that differ, in the order of rows(). Pure: takes two values, reads nothing.
Diff diff(const Snapshot& a, const Snapshot& b);

// Aligned, at most `width` columns unless one word is longer than that.
std::string to_text(const Snapshot& snapshot, std::size_t width = page_width);
std::string to_text(const Diff& diff, std::size_t width = page_width);
// Indented by two, keys in a fixed order. Bytes that are not UTF-8 (a file name may hold any) appear as U+FFFD.
std::string to_json(const Snapshot& snapshot);
std::string to_json(const Diff& diff);

}  // namespace drydock::facts
