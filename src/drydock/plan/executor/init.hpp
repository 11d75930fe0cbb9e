// pid 1 of a container that was started with --init: reaps orphans, forwards signals, ends with the program's status.
//
// Source: pid_namespaces(7): orphans are reparented to pid 1; signals without a handler do not reach it. docker-init (tini) for the contract.
#pragma once

namespace drydock::plan::executor {

// Runs until the child `main` has ended; its exit status (128+n for signal n).
int init_loop(int main);

}  // namespace drydock::plan::executor
