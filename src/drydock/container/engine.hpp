// What the files of the engine share: finding records, and talking to the monitor of a running container. Not for users.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <drydock/container/container.hpp>
#include <drydock/image/store.hpp>
#include <drydock/kernel/error.hpp>
#include <drydock/plan/launch.hpp>
#include <drydock/process/signals.hpp>

namespace drydock::container {

// The record of a ledger. `path` is the ledger's.
Record record_of(const plan::Ledger& ledger, const std::string& path);

bool is_frozen(const Record& record);
// The answer of whoever needs it to run.
Error frozen(const Record& record);

// Waits until the container has ended and everything is undone; its exit status. The ledger, once mapped, outlives its name.
int wait_undone(const plan::Ledger& ledger);

// The image that the spec names; busybox is unpacked from drydock-image when the store lacks it. Throws Error otherwise.
image::Image find_image(const Spec& spec, const Paths& paths);

// The caller's signals from before a launch until its end: none is lost, none ends us half-way. Empty while they are not held.
using HeldSignals = std::optional<process::SignalFd>;

// The foreground part of run and exec: stdio, signals, terminal; until the end or until the user detaches.
struct ForegroundEnd {
  int exit_code = 0;
  bool detached = false;
};
ForegroundEnd foreground(plan::Launch& launch, const process::SignalFd& signals, Fd terminal, bool interactive);

// Waits until the program runs, serving --explain meanwhile; the descriptor of the terminal, if there is one. A start that
// takes longer than usual hears `signals`: one that asks to end cancels it (Error), others are sent on. `when_slow`, if given,
// looks then whether waiting still makes sense, and throws when it does not.
Fd wait_started(plan::Launch& launch, const RunOptions& options, const process::SignalFd* signals, const std::function<void()>& when_slow = {});
// --trace and --timeline.
void report(const plan::Launch& launch, const RunOptions& options);

}  // namespace drydock::container
