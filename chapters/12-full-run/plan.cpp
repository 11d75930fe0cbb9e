// What chapter 12 adds to the plan: what a program may do. Capabilities that it does not need go for good, a filter decides about
// each system call, and no program gives more than there is. With it, the plan is what `drydock run` makes.
#include <drydock/cgroups/device_rules.hpp>
#include <drydock/kernel/symbols.hpp>
#include <drydock/security/capabilities.hpp>
#include <drydock/security/seccomp.hpp>

#include "shared/sketch.hpp"

namespace drydock::chapter {

using namespace plan;

namespace {

constexpr Lane lane = Lane::payload;

// Docker's fourteen, of those that there are.
std::uint64_t kept(const Request& request) {
  return security::default_capabilities(cgroups::devices_guarded(request.layout)) & request.capabilities;
}

void session(Sketch& sketch) {
  sketch.plan()
      .payload("session", ops::setsid())
      .on("the program")
      .why("no way to type into the caller's terminal (CVE-2017-5226)");
}

void bounding_set(Sketch& sketch) {
  security::add_bounding_steps(sketch.plan(), lane, kept(sketch.request), sketch.request.capabilities);
}

// Before CAP_SYS_ADMIN goes, without which a filter needs no_new_privs.
void filter(Sketch& sketch) {
  security::add_seccomp_step(sketch.plan(), lane, security::seccomp_program({"default", kept(sketch.request)}, {}));
}

void capabilities(Sketch& sketch) {
  security::add_capset_step(sketch.plan(), lane, kept(sketch.request), true);
}

void no_new_privileges(Sketch& sketch) {
  security::add_no_new_privileges_step(sketch.plan(), lane);
}

void working_directory(Sketch& sketch) {
  sketch.plan()
      .payload("workdir.check", ops::check_cwd())
      .on("working directory")
      .why("a leaked descriptor of the host would show here (CVE-2024-21626)");
}

std::vector<std::string> added() {
  std::vector<std::string> steps{"session", "seccomp", "capset", "no_new_privs", "workdir.check"};
  const Request documented;
  for (int number = 0; number < 64; ++number)
    if ((documented.capabilities & ~kept(documented) & std::uint64_t{1} << number) != 0)
      steps.push_back("bounding." + symbols::capability(number));
  return steps;
}

}  // namespace

const Growth full_run{{.chapter = 12, .adds = added(), .grow = [](Sketch& sketch) {
                         sketch.add(Phase::program, "session", session);
                         sketch.add(Phase::program, "bounding set", bounding_set);
                         sketch.add(Phase::program, "seccomp", filter);
                         sketch.add(Phase::program, "capabilities", capabilities);
                         sketch.add(Phase::program, "no_new_privs", no_new_privileges);
                         sketch.add(Phase::program, "working directory", working_directory);
                       }}};

}  // namespace drydock::chapter
