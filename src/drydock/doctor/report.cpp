#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include <drydock/doctor/examine.hpp>

namespace drydock::doctor {

std::string text_of(const Finding& finding) {
  std::string text = fmt::format("{:9} {:20} {}\n", grade_name(finding.grade), finding.feature, finding.found);
  if (!finding.cost.empty()) text += fmt::format("{:30} {}\n", "", finding.cost);
  if (!finding.remedy.empty()) text += fmt::format("{:30} repair: {}\n", "", finding.remedy);
  return text;
}

std::string to_json(const Machine& machine, const std::vector<Finding>& findings) {
  using nlohmann::json;
  json list = json::array();
  for (const Finding& finding : findings)
    list.push_back({{"feature", finding.feature}, {"grade", grade_name(finding.grade)}, {"found", finding.found}, {"cost", finding.cost}, {"remedy", finding.remedy}});
  const json about{{"kernel", machine.release}, {"architecture", machine.architecture}, {"user", machine.user},
                   {"cgroups", cgroups::shape_name(machine.layout.shape)}, {"inside", machine.container_marker}};
  return json{{"machine", about}, {"findings", list}}.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace drydock::doctor
