// The judgement over a machine: for each feature of a container ok, degraded or missing, why, what it costs, and the command
// that repairs it. Pure: a Machine made by hand gets the same answer as one that was read.
//
// Example: for (const Finding& finding : examine(machine)) print(text_of(finding));
// Source: the errors that the same defects give in a run (kernel/explain.cpp); user_namespaces(7), cgroups(7), subuid(5).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <drydock/doctor/machine.hpp>

namespace drydock::doctor {

enum class Grade { ok, degraded, missing };
std::string_view grade_name(Grade grade);

// A sysctl that repairs the finding; the only repairs that --fix makes by itself.
struct Repair {
  std::string sysctl;  // path below /proc/sys
  std::string value;
};

struct Finding {
  std::string feature;  // "memory limit"
  Grade grade = Grade::ok;
  std::string found;   // what was seen
  std::string cost;    // what does not work, empty when ok
  std::string remedy;  // a command or a sentence, empty when ok or when nothing helps
  std::vector<Repair> repairs = {};
};

std::vector<Finding> examine(const Machine& machine);

// A line for an ok finding, three for the others.
std::string text_of(const Finding& finding);
// {"machine": {...}, "findings": [{feature, grade, found, cost, remedy}]}
std::string to_json(const Machine& machine, const std::vector<Finding>& findings);

}  // namespace drydock::doctor
