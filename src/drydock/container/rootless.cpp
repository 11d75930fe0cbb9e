#include <drydock/container/rootless.hpp>

#include <drydock/kernel/error.hpp>

namespace drydock::container {

namespace {

// The bridge's place is taken by slirp4netns; `lack` says why it cannot be.
void replace_bridge(Spec& spec, const std::optional<network::SlirpLack>& lack, std::vector<std::string>& said) {
  if (spec.network.address)
    throw Error::refused("--ip", "the bridge needs root",
                         "run it as root (sudo), or leave that out: slirp4netns gives every container the same address");
  if (!lack) {
    spec.network.mode = NetworkMode::slirp;
    said.push_back(
        "without root there is no bridge: slirp4netns carries the packets, and other containers reach this one by its published "
        "ports only");
    return;
  }
  if (!spec.network.ports.empty())
    throw Error::refused("-p", "without root ports are published with slirp4netns, and " + lack->what,
                         lack->remedy + ", or run it as root (sudo)");
  spec.network.mode = NetworkMode::none;
  said.push_back(
      "without root there is no bridge, and " + lack->what + " (" + lack->remedy +
      "): the container has only a loopback link of its own (--network none says so, --network host shares the host's)");
}

}  // namespace

Spec rootless(Spec spec, const network::SlirpNeeds& slirp, std::vector<std::string>& said) {
  spec.userns.enabled = true;
  const auto lack = network::lack_of(slirp);
  if (spec.network.mode == NetworkMode::bridge) replace_bridge(spec, lack, said);
  if (spec.network.mode == NetworkMode::slirp && lack) throw Error::refused("--network slirp4netns", lack->what, lack->remedy);
  return spec;
}

}  // namespace drydock::container
