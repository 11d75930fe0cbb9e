// What a container without root is: the same spec, reduced to what an ordinary user may have, and a word about each loss.
//
// Pure: the engine asks before it plans. A user namespace is not asked for but taken; the bridge needs CAP_NET_ADMIN on the host,
// so slirp4netns carries the packets, and where that cannot be the network is the container's own loopback.
//
// Example: Words said; const Spec spec = rootless(asked, network::look_for_slirp(), said);   // only when geteuid() is not 0
// Chapter: 07. Source: user_namespaces(7), "Interaction of user namespaces and other types of namespaces".
#pragma once

#include <string>
#include <vector>

#include <drydock/container/spec.hpp>
#include <drydock/network/slirp.hpp>

namespace drydock::container {

// Throws Error for what was asked for by name and cannot be had without root (--ip), or on this machine (-p without
// slirp4netns): a silent loss would be worse than none. `said` receives the losses of defaults.
Spec rootless(Spec spec, const network::SlirpNeeds& slirp, std::vector<std::string>& said);

}  // namespace drydock::container
