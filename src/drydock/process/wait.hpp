// Waiting for a process by descriptor: a pidfd cannot mean another process, and it can be polled with a time limit.
//
// Example: Fd child = sys::pidfd_open(pid);
//          if (auto status = wait_child(child, 1000)) return status->code();
// Source: pidfd_open(2), waitid(2) (P_PIDFD, Linux >= 5.4), poll(2).
#pragma once

#include <optional>

#include <drydock/kernel/fd.hpp>
#include <drydock/process/exit_status.hpp>

namespace drydock::process {

inline constexpr int for_ever = -1;

// True when `fd` became readable (for a pidfd: the process ended) within `timeout_ms` milliseconds; -1 waits without limit.
// A signal handler that runs meanwhile does not shorten the time.
bool wait_readable(int fd, int timeout_ms);

// Reaps a child of this process; empty when the time is up. Error ECHILD when it is not our child: use wait_ended then.
std::optional<ExitStatus> wait_child(const Fd& pidfd, int timeout_ms = for_ever);

// Any process: true when it has ended (zombies count) within the time. Its status belongs to its parent.
bool wait_ended(const Fd& pidfd, int timeout_ms = for_ever);

}  // namespace drydock::process
