#include "shared/print.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace drydock::chapter {

using nlohmann::ordered_json;

namespace {

std::string joined(const std::vector<std::string>& words, const char* between) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : between) + word;
  return out;
}

std::vector<std::string> names_of(const std::vector<Need>& needs) {
  std::vector<std::string> names;
  for (const Need& need : needs) names.push_back(need.name);
  return names;
}

bool has(const std::vector<std::string>& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

Difference growth_of(int number, const Request& request) {
  return difference(plan_of(number - 1, request), plan_of(number, request));
}

Growth::Words declared(int number) {
  for (const Growth::Words& growth : growths())
    if (growth.chapter == number) return growth;
  return {number, {}, {}, {}, {}, nullptr};
}

std::string dumped(const ordered_json& json) {
  return json.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace

std::string Chapter::program() const {
  return fmt::format("ch{:02}-{}", number, name);
}

std::string list_text(const Chapter& chapter, bool color) {
  std::string out = styled(fmt::format("{}: {}", chapter.program(), chapter.idea), style::strong, color) + "\n";
  for (const Experiment& experiment : chapter.experiments) {
    out += "\n  " + styled(experiment.name, style::strong, color) + "\n    " + wrapped(experiment.question, 4) + "\n";
    if (!experiment.items.empty()) out += "    " + wrapped("shows  " + joined(experiment.items, " "), 11) + "\n";
    if (!experiment.needs.empty()) out += "    " + wrapped("needs  " + joined(names_of(experiment.needs), ", "), 11) + "\n";
  }
  return out + fmt::format("\n{} experiments. '{} run NAME' runs one, 'run all' runs them all.\n", chapter.experiments.size(),
                           chapter.program());
}

std::string list_json(const Chapter& chapter) {
  ordered_json experiments = ordered_json::array(), not_shown = ordered_json::array();
  for (const Experiment& experiment : chapter.experiments)
    experiments.push_back({{"name", experiment.name},
                           {"question", experiment.question},
                           {"items", experiment.items},
                           {"needs", names_of(experiment.needs)}});
  for (const NotShown& entry : chapter.not_shown) not_shown.push_back({{"item", entry.item}, {"reason", entry.reason}});
  return dumped({{"chapter", chapter.number},
                 {"name", chapter.name},
                 {"program", chapter.program()},
                 {"idea", chapter.idea},
                 {"experiments", experiments},
                 {"not_shown", not_shown}});
}

std::string plan_text(const Chapter& chapter, const Request& request, bool color) {
  const plan::Plan plan = plan_of(chapter.number, request);
  const Difference grown = growth_of(chapter.number, request);
  std::string out;
  for (const plan::Step& step : plan.steps()) {
    const bool added = has(grown.added, step.id), changed = has(grown.changed, step.id), moved = has(grown.moved, step.id);
    const std::string mark = added ? "+" : changed ? "~" : moved ? ">" : " ";
    std::string line =
        fmt::format("{} {:8}{:18} {}", mark, plan::lane_name(step.lane), step.id, plan::print(step.action, plan.slots()));
    if (step.result.valid()) line += " = <" + plan.slots()[step.result.index].name + ">";
    out += styled(wrapped(line, 12), added || changed || moved ? style::strong : "0", color) + "\n" + std::string(12, ' ') +
           "# " + wrapped(step.reason, 14) + "\n";
  }
  for (const std::string& id : grown.removed) out += "- " + id + "\n";
  return out + "\n+ this chapter adds it   ~ changes it   > moves it   - takes it away\n";
}

std::string plan_json(const Chapter& chapter, const Request& request) {
  ordered_json out = ordered_json::parse(plan::to_json(plan_of(chapter.number, request)));
  const Growth::Words words = declared(chapter.number);
  out["chapter"] = chapter.number;
  out["declares"] = {{"adds", words.adds}, {"removes", words.removes}, {"moves", words.moves}, {"changes", words.changes}};
  return dumped(out);
}

std::string verdicts_json(const Chapter& chapter, const std::vector<Verdict>& verdicts) {
  ordered_json runs = ordered_json::array();
  for (const Verdict& verdict : verdicts) {
    ordered_json facts = ordered_json::array();
    for (const Observation& seen : verdict.observations) {
      ordered_json fact{{"fact", seen.fact}};
      if (seen.two_sided)
        fact.update({{"host", seen.host}, {"container", seen.container}});
      else
        fact["seen"] = seen.host;
      fact.update({{"expected", seen.expected}, {"status", seen.holds ? "ok" : "WRONG"}});
      facts.push_back(std::move(fact));
    }
    runs.push_back({{"experiment", verdict.experiment},
                    {"items", verdict.items},
                    {"status", verdict.status},
                    {"reason", verdict.reason},
                    {"facts", facts}});
  }
  return dumped({{"chapter", chapter.number}, {"program", chapter.program()}, {"runs", runs}});
}

}  // namespace drydock::chapter
