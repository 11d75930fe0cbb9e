// The plan of a box is pure, and its order is what makes it tight.
#include <drydock/kernel/error.hpp>
#include <drydock/lab/box_plan.hpp>
#include <drydock/security/seccomp_compile.hpp>

#include "support/catch.hpp"
#include "unit/security_bpf.hpp"

using namespace drydock;
using namespace drydock::lab;

namespace {

BoxHost host() {
  BoxHost host;
  host.id = std::string(64, 'a');
  host.ledgers = "/run/drydock/lab";
  host.index = 3;
  host.filter = std::string(8, '\0');
  return host;
}

BoxSpec spec() {
  BoxSpec spec;
  spec.command = {"/lab/program", "enter"};
  spec.files = {{"program", "ELF-BYTES", 0755}};
  spec.shown = {"/usr/lib"};
  return spec;
}

}  // namespace

TEST_CASE("lab: the plan of a box is the same for the same words, and shows no contents") {
  const std::string text = plan::print(box_plan(spec(), host()).plan);
  CHECK(text == plan::print(box_plan(spec(), host()).plan));
  CHECK(text.find("ELF-BYTES") == std::string::npos);
  CHECK(text.find("9 bytes") != std::string::npos);
}

TEST_CASE("lab: the steps of a box stand in the order that makes it tight") {
  const plan::Plan made = box_plan(spec(), host()).plan;
  const auto at = [&](const char* id) { return made.find(id).self.index; };
  CHECK(at("mount.private") < at("shown/usr/lib.tree"));
  CHECK(at("shown/usr/lib.flags") < at("shown/usr/lib.attach"));  // read-only before it is seen
  CHECK(at("lab.program") < at("lab.read_only"));
  CHECK(at("lab.read_only") < at("mount.lab.attach"));
  CHECK(at("outer.uid") < at("outer.die_with_monitor"));  // a change of ids clears the parent death signal
  CHECK(at("outer.uid") < at("mount.root"));              // the mounts belong to an id that the program has not
  CHECK(at("root.detach_old") < at("inner"));             // what is mounted is locked for the inner namespaces
  CHECK(at("inner") < at("seccomp"));
  CHECK(at("seccomp") + 1 == at("exec"));
  CHECK(at("exec") + 1u == made.steps().size());
}

TEST_CASE("lab: ranges of ids of boxes do not meet") {
  for (unsigned index = 0; index < box_count; ++index) {
    CHECK(box_ids(index).init < box_ids(0).students);
    CHECK(box_ids(index).students + ids_per_box == box_ids(index + 1).students);
  }
}

TEST_CASE("lab: the filter of a box lets through what makes containers, and nothing of the list") {
  const std::string program = box_filter();
  for (const char* call : {"clone", "clone3", "unshare", "setns", "mount", "pivot_root", "seccomp", "ptrace", "prctl"})
    CHECK(test::decision(program, call) == test::allowed);
  for (const char* call :
       {"keyctl", "bpf", "perf_event_open", "init_module", "open_by_handle_at", "reboot", "clock_settime", "io_uring_setup"})
    CHECK(test::decision(program, call) == test::eperm);
  CHECK(test::decision(program, "socket", {1}) == test::allowed);
  CHECK(test::decision(program, "socket", {40}) == test::eperm);        // AF_VSOCK
  CHECK(test::decision(program, "ioctl", {0, 0x5412}) == test::eperm);  // TIOCSTI
  CHECK(test::decision(program, "ioctl", {0, 0x1'0000'5412}) == test::eperm);
  CHECK(test::decision(program, "personality", {0x8}) == test::eperm);
}
