// The container of this chapter with some of its protections taken away, and a shell in it to ask.
//
// Example: Payload with(tell, container()), without(tell, container({.parts = {"seccomp"}}));
//          tell.show("unshare -U", ask(without, "unshare -U true && echo done"), is("done"));
// Source: docs/writing-chapters.md, "The plan grows".
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "shared/payload.hpp"
#include "shared/sketch.hpp"

namespace drydock::chapter::full_run {

struct Without {
  std::vector<std::string> parts = {};  // of the plan, by name
  std::uint64_t namespaces = 0;         // flags of clone3 that are not set; what the plan does in such a namespace is left out
};

// Its program is a shell that reads commands.
Sketch container(const Without& without = {});
// The first line that the command prints, both streams together. A command that prints nothing must echo something.
std::string ask(Payload& payload, const std::string& command);
// The same by the shell itself: no process more than there is. Commands that are the shell's own, and print one line.
std::string ask_shell(Payload& payload, const std::string& command);

// Words for its shell: make a program of these bytes.
std::string writing(const std::string& path, const std::string& bytes);

// Parts that belong together.
inline const std::vector<std::string> capability_parts{"bounding set", "capabilities"};
inline const std::vector<std::string> group_parts{"groups", "join groups", "cgroup namespace"};

}  // namespace drydock::chapter::full_run
