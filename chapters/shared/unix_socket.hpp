// Unix sockets by name, each in the caller's namespaces: a path follows the mounts, an abstract name the network.
//
// Example: Fd listener; listen_at("@drydock", listener); connect_to("@drydock").failed() == false
// Source: unix(7).
#pragma once

#include <string>

#include <drydock/kernel/fd.hpp>

#include "shared/values.hpp"

namespace drydock::chapter {

// A name that begins with '@' is abstract.
Outcome listen_at(const std::string& name, Fd& listener);
Outcome connect_to(const std::string& name);

}  // namespace drydock::chapter
