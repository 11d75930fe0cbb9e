// What the files of the engine share: finding records, and talking to the monitor of a running container. Not for users.
#pragma once

#include <string>
#include <vector>

#include <drydock/container/container.hpp>
#include <drydock/plan/launch.hpp>
#include <drydock/process/signals.hpp>

namespace drydock::container {

// The record of a ledger. `path` is the ledger's.
Record record_of(const plan::Ledger& ledger, const std::string& path);

// Waits until the container has ended and everything is undone; its exit status. The ledger, once mapped, outlives its name.
int wait_undone(const plan::Ledger& ledger);

// Everything that is needed before a first launch: directories. Throws Error naming the path that cannot be made.
void prepare_directories(const Paths& paths);

// The foreground part of run and exec: stdio, signals, terminal; until the end or until the user detaches.
struct ForegroundEnd {
  int exit_code = 0;
  bool detached = false;
};
ForegroundEnd foreground(plan::Launch& launch, const process::SignalFd& signals, Fd terminal, bool interactive);

// Waits until the program runs, serving --explain meanwhile; the descriptor of the terminal, if there is one.
Fd wait_started(plan::Launch& launch, const RunOptions& options);
// --trace and --timeline.
void report(const plan::Launch& launch, const RunOptions& options);

}  // namespace drydock::container
