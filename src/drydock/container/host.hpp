// Reading what container_plan wants to know of the machine. The only place where a run looks around before it acts.
//
// Example: Host host = read_host(spec, paths, id);
// Errors: Error for an image that is not in the store, a source that does not exist, a limit out of range, a peer that does not run.
#pragma once

#include <optional>
#include <string>

#include <drydock/container/plan.hpp>

namespace drydock::container {

struct HostRequest {
  std::string id;
  std::optional<Peer> peer;  // of --network container:ID
  bool dry = false;          // for --plan: nothing is leased, and without privilege nothing that needs it is read
  std::optional<image::Image> image = std::nullopt;  // looked up in the store when it is not given
};

Host read_host(const Spec& spec, const Paths& paths, const HostRequest& request);

// "6.18.44" >= 6.7
bool kernel_at_least(int major, int minor);

}  // namespace drydock::container
