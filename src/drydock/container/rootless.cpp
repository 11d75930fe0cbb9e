#include <drydock/container/rootless.hpp>

#include <drydock/kernel/error.hpp>

namespace drydock::container {

Spec rootless(Spec spec, std::vector<std::string>& said) {
  spec.userns.enabled = true;
  if (spec.network.mode != NetworkMode::bridge) return spec;
  const std::string remedy = "run it as root (sudo), or leave that out: the container then has a loopback link of its own";
  if (!spec.network.ports.empty()) throw Error::refused("-p", "without root no port of the host can be led into a container", remedy);
  if (spec.network.address) throw Error::refused("--ip", "the bridge needs root", remedy);
  spec.network.mode = NetworkMode::none;
  said.push_back("without root there is no bridge: the container has only a loopback link of its own (--network none says so, --network host shares the host's)");
  return spec;
}

}  // namespace drydock::container
