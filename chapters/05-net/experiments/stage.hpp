// What the experiments of chapter 05 play with: one cable, and a process that acts in a network namespace of its own.
//
// Example: Child other(for_this_user(CLONE_NEWNET), agent); ask(other, "up lo") == "it succeeds"
#pragma once

#include <string>

#include "shared/child.hpp"
#include "shared/values.hpp"

namespace drydock::chapter::net {

// Both ends here: veth-a, which is up at once, and veth-b.
Outcome make_pair();

// Body of a child: "up LINK", "listen PORT", "answer NAME" (to one caller), "links", "state LINK", "give LINK ADDRESS",
// "ping ADDRESS", "routes", "via GATEWAY", until the talk is closed.
int agent(Talk& talk);
std::string ask(Child& agent, const std::string& words);

}  // namespace drydock::chapter::net
