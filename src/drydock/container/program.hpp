// The last steps of a payload, the same for run and exec: stdio, limits, user, seccomp, capabilities, and the program itself.
//
// Example: Stdio stdio = add_detached_pipes(plan, false); ... add_stdio(plan, stdio, false, true, false); add_program(plan, program, root, host);
// Source: execve(2), credentials(7), seccomp(2); CVE-2017-5226 (terminal), CVE-2024-21626 (working directory).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <drydock/container/plan.hpp>

namespace drydock::container {

struct Stdio {  // who is behind the descriptors 0, 1, 2 of the program
  plan::Slot terminal, peer;        // with -t
  plan::Slot input_write, output_read, error_read;  // detached: the monitor's ends
};

// Pipes of a detached container (monitor lane, before the clone), and the closing of the payload's ends behind it.
Stdio add_detached_pipes(plan::Plan& plan, bool interactive);
void add_close_pipe_ends(plan::Plan& plan, const Stdio& stdio, bool interactive);
// The pty (payload lane): from `devpts`, with the peer as the console of `dev` when that is valid.
void add_terminal(plan::Plan& plan, Stdio& stdio, plan::Slot devpts, plan::Slot dev, bool detached, std::uint16_t rows, std::uint16_t columns);
void add_stdio(plan::Plan& plan, const Stdio& stdio, bool terminal, bool detached, bool interactive);

struct Program {
  std::vector<std::string> argv, env;
  std::string working_directory;
  std::string user;
  SecuritySpec security;
  bool init = false;
  bool make_directory = true;  // WORKDIR that the image lacks is made, as Docker does
};

// From rlimits to exec; `root` is the container's root directory. The last step is "exec".
void add_program(plan::Plan& plan, const Program& program, plan::Slot root, const Host& host);

}  // namespace drydock::container
