// What a container without root is: the same spec, reduced to what an ordinary user may have, and a word about each loss.
//
// Pure: the engine asks before it plans. A user namespace is not asked for but taken; the bridge needs CAP_NET_ADMIN on the host,
// so the network is the container's own loopback.
//
// Example: Words said; const Spec spec = rootless(asked, said);   // only when geteuid() is not 0
// Chapter: 07. Source: user_namespaces(7), "Interaction of user namespaces and other types of namespaces".
#pragma once

#include <string>
#include <vector>

#include <drydock/container/spec.hpp>

namespace drydock::container {

// Throws Error for what was asked for by name and cannot be had without root (-p, --ip): a silent
// loss would be worse than none. `said` receives the losses of defaults.
Spec rootless(Spec spec, std::vector<std::string>& said);

}  // namespace drydock::container
