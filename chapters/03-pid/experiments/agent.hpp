// A program that does what it is told, for payloads whose process 1 must not be a mere `cat`. One word a line, one answer each:
//
//   fork             a child that waits for ever; its pid          orphan   a child of a child that has ended; its pid
//   kill PID SIGNAL  what kill(2) answers                          handle SIGNAL   a handler that counts
//   heard            signals counted                              litter N  N orphans that end at once
//   processes        how many /proc lists                         zombies   how many of them are zombies
//   parent PID       its PPid                                     pid       its own
//
// Example: Payload payload(tell, with_agent()); ask(payload, "kill 1 9") == "it succeeds"
// Source: agent.cpp, which is the program.
#pragma once

#include <string>

#include "shared/payload.hpp"

namespace drydock::chapter::pid {

// The container of this chapter with the agent as process 1; with `init`, as child of the core's init.
Sketch with_agent(bool init = false);
std::string ask(Payload& payload, const std::string& words);

}  // namespace drydock::chapter::pid
