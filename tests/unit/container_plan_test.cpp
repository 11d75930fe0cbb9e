// The plan of a fixed spec on a machine made by hand is always the same text, made without root and without any system call.
#include <unistd.h>

#include <set>

#include <drydock/container/rootless.hpp>
#include <drydock/kernel/error.hpp>

#include "support/catch.hpp"
#include "support/golden.hpp"
#include "support/plan_host.hpp"

using namespace drydock;
using namespace drydock::test;
using container::container_plan;

namespace {

std::string printed(const container::Spec& spec, const container::Host& host) {
  return plan::print(container_plan(spec, host).plan);
}

bool has(const plan::Plan& plan, const std::string& id) {
  for (const plan::Step& step : plan.steps())
    if (step.id == id) return true;
  return false;
}

unsigned index_of(const plan::Plan& plan, const std::string& id) {
  return plan.find(id).self.index;
}

}  // namespace

TEST_CASE("--plan of a fixed spec is a golden file, on both cgroup layouts", "[container][plan][golden]") {
  check_golden("tests/unit/golden/full-hybrid.txt", printed(full_spec(), hybrid_host()));
  check_golden("tests/unit/golden/full-v2.txt", printed(full_spec(), v2_host()));
  check_golden("tests/unit/golden/other-hybrid.txt", printed(other_spec(), hybrid_host()));
  check_golden("tests/unit/golden/other-v2.txt", printed(other_spec(), v2_host()));
}

TEST_CASE("two equal questions give two equal plans", "[container][plan]") {
  CHECK((plan::to_json(container_plan(full_spec(), hybrid_host()).plan) ==
         plan::to_json(container_plan(full_spec(), hybrid_host()).plan)));
}

TEST_CASE("without root the bridge's place is taken by slirp4netns, and the payload waits for it", "[container][plan]") {
  container::Host host = v2_host();
  host.euid = host.egid = 1000;
  host.address = network::slirp_address;
  host.default_maps = {{{0, 1000, 1}, {1, 100000, 65536}}, {{0, 1000, 1}, {1, 100000, 65536}}};
  host.subuids = host.subgids = {{100000, 65536}};
  std::vector<std::string> said;
  const container::Spec spec = container::rootless(full_spec(), {true, true, true}, said);
  CHECK(said.size() == 1);
  const plan::Plan made = container_plan(spec, host).plan;
  CHECK_FALSE(has(made, "net.bridge"));
  CHECK_FALSE(has(made, "net.ports"));
  CHECK(index_of(made, "map.uid") < index_of(made, "net.slirp"));
  CHECK(made.find("net.inner.lo").edges.size() == 1);
  CHECK(made.find("net.inner.lo").edges[0].index == index_of(made, "net.slirp"));
  CHECK(index_of(made, "net.proxy.enter") < index_of(made, "net.proxy.tie"));  // entering clears the signal of the parent's death
  CHECK(made.find("files").undo_call->op == plan::Op::remove_tree_mapped);
  CHECK_NOTHROW(plan::edges_of(made));
}

TEST_CASE("every plan can be executed: edges, slots and sizes are within bounds", "[container][plan]") {
  for (const auto& spec : {full_spec(), other_spec()})
    for (const auto& host : {hybrid_host(), v2_host()}) {
      const container::ContainerPlan made = container_plan(spec, host);
      const auto edges = plan::edges_of(made.plan);
      for (const plan::Step& step : made.plan.steps()) {
        INFO(step.id);
        CHECK(edges[step.self.index].size() <= static_cast<std::size_t>(plan::wire::max_edges));
        CHECK(step.tolerated.size() <= 2);
        CHECK_FALSE(step.reason.empty());
      }
      CHECK_FALSE(plan::serialise(made.plan, made.settings).empty());
    }
}

TEST_CASE("what holds a kernel object says how to undo it", "[container][plan]") {
  const plan::Plan plan = container_plan(full_spec(), hybrid_host()).plan;
  std::set<std::string> without;
  for (const plan::Step& step : plan.steps()) {
    using plan::Op;
    const Op op = step.action.op;
    // What lies below the container's directory or belongs to the payload's namespaces goes with them.
    const bool lasting = (op == Op::mkdir && step.id.starts_with("cgroup")) || step.id == "files" || op == Op::linkat ||
                         step.id == "name" || step.id == "net.veth" || step.id == "net.ports" || op == Op::fork_lane;
    if (lasting && !step.undo_call) without.insert(step.id);
  }
  CHECK(without == std::set<std::string>{});
  CHECK(plan.find("ledger").undo_when == plan::UndoAt::remove);
  CHECK(plan.find("ledger").self.index == 0);  // nothing is made before it is on record
}

TEST_CASE("the order of a start", "[container][plan]") {
  const plan::Plan plan = container_plan(full_spec(), hybrid_host()).plan;
  // The group exists before its first member, the cpu group is joined last, the filter loads before the capabilities drop.
  CHECK(index_of(plan, "cgroup.memory") < index_of(plan, "clone"));
  CHECK(index_of(plan, "attach.memory") < index_of(plan, "attach.cpu"));
  CHECK(index_of(plan, "attach.cpu") < index_of(plan, "cgroup.namespace"));
  CHECK(index_of(plan, "root.pivot") < index_of(plan, "seccomp"));
  CHECK(index_of(plan, "seccomp") < index_of(plan, "user.become"));
  CHECK(plan.steps().back().id == "exec");
  const plan::Plan unified = container_plan(full_spec(), v2_host()).plan;
  CHECK_FALSE(has(unified, "attach.memory"));  // born there by CLONE_INTO_CGROUP
  CHECK(index_of(unified, "devices") < index_of(unified, "clone"));
}

TEST_CASE("kernels of the layers: by descriptor, by path in a namespace of the monitor's, refused",
          "[container][plan][overlay]") {
  container::Host host = v2_host();
  CHECK_FALSE(has(container_plan(other_spec(), host).plan, "overlay.namespace"));
  host.layers_by_descriptor = false;
  const plan::Plan old = container_plan(other_spec(), host).plan;
  CHECK(index_of(old, "clone") < index_of(old, "overlay.namespace"));  // the container's namespace is not a copy of it
  CHECK(index_of(old, "overlay.slave") < index_of(old, "overlay.layer.1"));
  CHECK(index_of(old, "overlay.detach") < index_of(old, "overlay.umount"));
  CHECK(index_of(old, "overlay.umount.2") < index_of(old, "root.attach"));
  host.mapped_layers = false;
  CHECK_THROWS_AS(container_plan(other_spec(), host), Error);
}

TEST_CASE("without device rules of the kernel's there are no nodes", "[container][plan][security]") {
  container::Host host = v2_host();
  host.layout.device_programs = false;
  const plan::Plan plan = container_plan(full_spec(), host).plan;
  CHECK_FALSE(has(plan, "devices"));
  CHECK(has(plan, "bounding.CAP_MKNOD"));
}

TEST_CASE("with no_new_privs the filter comes last", "[container][plan]") {
  container::Spec spec = full_spec();
  spec.security.no_new_privileges = true;
  const plan::Plan plan = container_plan(spec, hybrid_host()).plan;
  CHECK(index_of(plan, "user.become") < index_of(plan, "seccomp"));
  CHECK(index_of(plan, "seccomp") + 1 == index_of(plan, "exec"));
}

TEST_CASE("an image without a program needs one on the command line", "[container][plan]") {
  container::Spec spec;
  spec.image = "busybox";
  container::Host host = hybrid_host();
  host.image.config.command.clear();
  CHECK_THROWS_AS(container_plan(spec, host), Error);
  spec.command = {"true"};
  CHECK(container_plan(spec, host).command == std::vector<std::string>{"true"});
}

TEST_CASE("a user namespace whose map leaves out root is refused", "[container][plan]") {
  container::Spec spec = other_spec();
  spec.userns.uids = {{1000, 101000, 10}};
  CHECK_THROWS_AS(container_plan(spec, hybrid_host()), Error);
}

TEST_CASE("options of a spec change the plan where they should and nowhere else", "[container][plan]") {
  container::Spec spec;
  spec.image = "busybox";
  const plan::Plan plain = container_plan(spec, hybrid_host()).plan;
  CHECK(has(plain, "seccomp"));
  CHECK_FALSE(has(plain, "name"));
  CHECK_FALSE(has(plain, "net.ports"));
  spec.network.mode = container::NetworkMode::host;
  const plan::Plan shared = container_plan(spec, hybrid_host()).plan;
  CHECK_FALSE(has(shared, "net.veth"));
  CHECK(plan::print(shared.find("clone").action, shared.slots()).find("CLONE_NEWNET") == std::string::npos);
  spec.read_only = true;
  CHECK(has(container_plan(spec, hybrid_host()).plan, "root.read_only"));
}
