// The part of a monitor's life between start and end: wait for the program, carry its output, listen to the caller.
#pragma once

#include <drydock/plan/executor/context.hpp>

namespace drydock::plan::executor {

// Returns when pid 1 of the container has ended and its output is drained; sets exit_code in the header.
// Foreground: the program is killed as soon as the caller's socket closes.
void supervise(Context& context, int signal_fd);

// Whoever reads the caller's output through a pipe must see its end when the caller ends, not when the container does.
void let_go_of_stdio();

}  // namespace drydock::plan::executor
