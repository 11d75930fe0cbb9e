// drydock doctor: what this machine can do for containers, and the command that repairs what it cannot.
#include <drydock/container/container.hpp>
#include <drydock/doctor/examine.hpp>
#include <drydock/kernel/error.hpp>
#include <drydock/kernel/sys.hpp>

#include "commands.hpp"
#include "output.hpp"
#include "session.hpp"

namespace drydock::cli {

namespace {

doctor::Machine this_machine() {
  const container::Paths paths = container::default_paths();
  return doctor::read_machine({paths.data, paths.state, paths.monitor});
}

// Shows each sysctl before it is written; what only a person should do stays a line to read.
void repair(const std::vector<doctor::Finding>& findings) {
  bool any = false;
  for (const doctor::Finding& finding : findings)
    for (const doctor::Repair& one : finding.repairs) {
      print("fixing    " + finding.feature + ": writing " + one.value + " to /proc/sys/" + one.sysctl + "\n");
      sys::write_file("/proc/sys/" + one.sysctl, one.value);
      any = true;
    }
  if (!any) print("fixing    nothing here can be repaired without your decision; see the lines with 'repair:'\n");
}

std::string sum_of(const std::vector<doctor::Finding>& findings) {
  int counts[3] = {0, 0, 0};
  for (const doctor::Finding& finding : findings) ++counts[static_cast<int>(finding.grade)];
  return std::to_string(counts[0]) + " ok, " + std::to_string(counts[1]) + " degraded, " + std::to_string(counts[2]) + " missing\n";
}

}  // namespace

int doctor_command(const Words& words) {
  bool json = false, fix = false;
  Options options("doctor", "", "Say what this machine can do for containers: ok, degraded or missing, why, and the command that repairs it.\nEnds with 1 when something is missing.");
  options.flag("--json", "as JSON", json);
  options.flag("--fix", "write the kernel settings that repair a finding (needs root), after showing them", fix);
  if (!options.parse(words, Options::Stop::never)) return 0;
  options.require(0, 0, "", "doctor takes none");
  doctor::Machine machine = this_machine();
  std::vector<doctor::Finding> findings = doctor::examine(machine);
  if (fix) {
    repair(findings);
    findings = doctor::examine(machine = this_machine());
  }
  if (json) {
    print(doctor::to_json(machine, findings));
  } else {
    for (const doctor::Finding& finding : findings) print(doctor::text_of(finding));
    print(sum_of(findings));
  }
  for (const doctor::Finding& finding : findings)
    if (finding.grade == doctor::Grade::missing) return 1;
  return 0;
}

}  // namespace drydock::cli
