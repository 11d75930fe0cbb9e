// docs/troubleshooting.md below its mark is the table that every error message reads, indexed by errno and call.
#include <cstring>
#include <map>
#include <vector>

#include <drydock/kernel/error.hpp>
#include <drydock/kernel/explain.hpp>

#include "support/golden.hpp"

using namespace drydock;
using namespace drydock::test;

namespace {

constexpr const char* page = "docs/troubleshooting.md";
constexpr const char* mark = "<!-- From here on generated from the table of src/drydock/kernel/explain.cpp. -->\n";

std::string cell(std::string_view text) {
  std::string out;
  for (const char letter : text) {
    if (letter == '|') out += '\\';
    out += letter;
  }
  return out;
}

std::string call_of(const ExplanationRow& row) {
  std::string text = row.call.empty() ? "any call" : "`" + std::string(row.call) + "`";
  return row.object.empty() ? text : text + " on " + cell(row.object);
}

std::string table() {
  std::map<std::string, std::vector<const ExplanationRow*>> by_name;
  for (const ExplanationRow& row : explanation_table()) by_name[errno_name(row.code)].push_back(&row);
  std::string text;
  for (const auto& [name, rows] : by_name) {
    text += "\n### " + name + " (" + std::to_string(rows.front()->code) + "): " + ::strerror(rows.front()->code) + "\n\n";
    text += "| call | why | what to do |\n|---|---|---|\n";
    for (const ExplanationRow* row : rows) text += "| " + call_of(*row) + " | " + cell(row->reason) + " | " + cell(row->remedy) + " |\n";
  }
  return text;
}

}  // namespace

TEST_CASE("the page on troubles says what the error messages say", "[kernel][docs]") {
  const std::string now = sys::read_file(golden_path(page));
  const auto at = now.find(mark);
  REQUIRE(at != std::string::npos);
  check_golden(page, now.substr(0, at) + mark + table());
}

TEST_CASE("no row of the table of explanations is hidden by another", "[kernel]") {
  for (const ExplanationRow& row : explanation_table()) {
    const Explanation found = explain(row.call, row.code, row.object);
    INFO(row.call << " " << errno_name(row.code) << " " << row.object);
    CHECK(found.reason == row.reason);
    CHECK(found.remedy == row.remedy);
    CHECK_FALSE(row.reason.empty());
    CHECK_FALSE(row.remedy.empty());
  }
}
