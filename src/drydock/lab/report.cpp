#include <drydock/lab/report.hpp>

#include <sys/utsname.h>

#include <nlohmann/json.hpp>

#include <drydock/cgroups/layout.hpp>
#include <drydock/kernel/sys.hpp>

namespace drydock::lab {

namespace {

constexpr std::size_t title_width = 46;

std::string padded(std::string text, std::size_t width) {
  if (text.size() < width) text.append(width - text.size(), ' ');
  return text;
}

std::string right(const std::string& text, std::size_t width) {
  return text.size() < width ? std::string(width - text.size(), ' ') + text : text;
}

std::string row(const std::string& name, const std::string& value) {
  return "           " + padded(name, 10) + value + "\n";
}

// Bytes of a student's program never reach a terminal as they are.
std::string printable(std::string text) {
  for (char& c : text)
    if (static_cast<unsigned char>(c) < ' ' && c != '\n') c = '?';
  return text;
}

std::string indented(const std::string& text) {
  std::string out = "    ";
  for (const char c : printable(text)) {
    out += c;
    if (c == '\n') out += "    ";
  }
  while (!out.empty() && (out.back() == ' ' || out.back() == '\n')) out.pop_back();
  return out + "\n";
}

}  // namespace

std::string line_of(const Result& result, const std::string& seed) {
  const Verdict& verdict = result.verdict;
  std::string text = "  " + padded(result.id, 7) + padded(result.title, title_width) +
                     padded(std::string(outcome_name(verdict.outcome)), 8) + right(std::to_string(result.earned), 3) + "/" +
                     std::to_string(result.points) + "\n";
  if (verdict.outcome == Outcome::ok) return text;
  if (verdict.outcome != Outcome::fail) return text + row("because", printable(verdict.reason));
  if (!result.attempted) return text + row("observed", verdict.finding.observed);
  const Finding& finding = verdict.finding;
  return text + row("expected", printable(finding.expected)) + row("observed", printable(finding.observed)) +
         row("where", finding.where) + row("why", finding.why) + row("replay", "./lab check " + result.id + " --seed " + seed);
}

std::string compiler_text(const Report& report) {
  std::string text;
  for (const Broken& broken : report.broken)
    text += "  " + broken.function + " does not compile; its stub stands in\n" + indented(broken.diagnostics);
  if (!report.diagnostics.empty() && !report.no_program) text += "  the compiler warns\n" + indented(report.diagnostics);
  return text;
}

std::string end_of(const Report& report) {
  std::string text;
  if (report.filtered)
    text += "  some checks only: no total\n";
  else
    text += "  " + std::to_string(report.earned()) + " / " + std::to_string(report.gradable()) + " / " +
            std::to_string(report.total()) + "  earned / gradable here / total\n";
  if (!report.filtered && (report.has(Outcome::skip) || report.has(Outcome::error)))
    text += "  needs attention: no final mark while a check is SKIP or ERROR\n";
  text += "left behind: ";
  if (report.left_behind.empty()) return text + "nothing\n";
  for (const std::string& path : report.left_behind) text += path + " ";
  text.back() = '\n';
  return text;
}

namespace {

using nlohmann::ordered_json;

ordered_json json_of(const Result& result) {
  const Finding& finding = result.verdict.finding;
  ordered_json json{{"id", result.id},          {"title", result.title},   {"outcome", outcome_name(result.verdict.outcome)},
                    {"earned", result.earned},  {"points", result.points}, {"attempted", result.attempted},
                    {"seconds", result.seconds}};
  if (result.verdict.outcome == Outcome::fail)
    json["finding"] = {
        {"expected", finding.expected}, {"observed", finding.observed}, {"where", finding.where}, {"why", finding.why}};
  else if (result.verdict.outcome != Outcome::ok)
    json["reason"] = result.verdict.reason;
  return json;
}

ordered_json machine_json() {
  utsname names{};
  ::uname(&names);
  return {
      {"kernel", names.release}, {"architecture", names.machine}, {"cgroups", cgroups::shape_name(cgroups::read_layout().shape)}};
}

}  // namespace

std::string to_json(const Report& report) {
  ordered_json json{{"schema", "drydock.result/1"}, {"chapter", report.chapter},   {"finished", report.finished},
                    {"seed", report.seed},          {"submission", report.digest}, {"machine", machine_json()},
                    {"filtered", report.filtered}};
  if (!report.finished) {
    json["trouble"] = report.trouble;
    return json.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
  }
  if (!report.filtered) json["score"] = {{"earned", report.earned()}, {"gradable", report.gradable()}, {"total", report.total()}};
  if (!report.filtered) json["final"] = !report.has(Outcome::skip) && !report.has(Outcome::error);
  json["compiles"] = !report.no_program;
  json["broken"] = ordered_json::array();
  for (const Broken& broken : report.broken)
    json["broken"].push_back({{"function", broken.function}, {"diagnostics", broken.diagnostics}});
  json["checks"] = ordered_json::array();
  for (const Result& result : report.results) json["checks"].push_back(json_of(result));
  json["left_behind"] = report.left_behind;
  return json.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

ResultFile::ResultFile(std::string path, const std::string& chapter, const std::string& seed) : path_(std::move(path)) {
  Report unfinished;
  unfinished.chapter = chapter;
  unfinished.seed = seed;
  unfinished.trouble = "grading did not finish";
  write(unfinished);
}

void ResultFile::write(const Report& report) const {
  if (!path_.empty()) sys::replace_file(path_, to_json(report));
}

}  // namespace drydock::lab
