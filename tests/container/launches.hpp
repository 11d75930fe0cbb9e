// Launches whose id the test knows beforehand and whose steps it may let fail: container_plan and plan::Launch by hand, on a
// played host (container/host.hpp).
//
// Example: Host host; const Attempt attempt = launch_on(host, spec, "mount.proc=EPERM");
//          CHECK(attempt.failure->step() == "mount.proc"); CHECK(host.leftovers() == nothing);
#pragma once

#include <optional>
#include <string>

#include <drydock/container/host.hpp>
#include <drydock/container/plan.hpp>
#include <drydock/kernel/error.hpp>
#include <drydock/kernel/sys.hpp>
#include <drydock/plan/launch.hpp>

#include "container/host.hpp"

namespace drydock::test {

// DRYDOCK_FULL=1: the long version of every sweep.
bool full_sweeps();

// The seed of this run, printed and taken from DRYDOCK_SEED, so that a failure can be had again.
unsigned announced_seed(const std::string& of);

// busybox, --rm, no network, `command`.
container::Spec plain_spec(Words command);
// Bridge, a published port, limits, a volume, a tmpfs, an rlimit; ends by itself.
container::Spec full_container();
// The same in a user namespace, and with a terminal, detached, with --init and another user.
container::Spec mapped_container();
container::Spec slirp_container();  // and with slirp4netns in the bridge's place
container::Spec terminal_container();
container::Spec detached_container();

struct Prepared {
  container::Host host;
  container::ContainerPlan made;
  Fd directories = {};
};
// Reads the played host and builds the plan; the shared network is taken down `linger_ms` after its last user.
Prepared prepare(Host& host, const container::Spec& spec, const std::string& id, int linger_ms = 1);

struct Attempt {
  std::string id;
  std::optional<Error> failure;
  int exit_code = -1;
  bool started() const { return !failure; }
};
// Launches and waits until it has ended. `inject` as in --inject.
Attempt launch_on(Host& host, const container::Spec& spec, const std::string& inject = {}, std::string id = {});
// Says of what was prepared that it will not be launched: its address is free.
void end_lease(Host& host, const std::string& id);
// The same for what prepare() made.
Attempt launch_prepared(Host& host, Prepared& prepared);

}  // namespace drydock::test
