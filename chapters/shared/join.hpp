// The plan of a program that joins namespaces which exist: what `drydock exec` and nsenter(1) do, without the rest.
//
// Example: Payload guest(tell, joining(payload.pid(), {Kind::uts}, {"hostname"}));
// Source: setns(2), pidfd_open(2); drydock/namespaces/join.hpp.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include <drydock/namespaces/kinds.hpp>

#include "shared/sketch.hpp"

namespace drydock::chapter {

Draft joining(pid_t target, std::vector<namespaces::Kind> kinds, std::vector<std::string> command);

}  // namespace drydock::chapter
