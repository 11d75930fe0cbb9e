// Signals as something to read: blocked, and taken from a descriptor when the loop is ready for them.
//
// No handler ever runs, so nothing is interrupted half-way: a SIGTERM to the command line is an event like any other, and
// every destructor (the terminal's above all) runs on the way out.
//
// Example: SignalFd signals(forwardable_signals());
//          while (auto signal = signals.next()) forward(signal->number);
// Source: signalfd(2), signal(7), pthread_sigmask(3).
// Trap: a mask belongs to one thread. In a program with several threads the kernel gives a signal to any thread that does not
// block it; block in the main thread before others start, or accept that they may see it.
#pragma once

#include <signal.h>
#include <sys/types.h>

#include <optional>
#include <vector>

#include <drydock/kernel/fd.hpp>

namespace drydock::process {

struct SignalInfo {
  int number = 0;
  pid_t sender = 0;  // 0 when the kernel sent it
};

class SignalFd {
 public:
  // Blocks `signals` in this thread and opens a descriptor for them. Error when there is no descriptor left.
  explicit SignalFd(const std::vector<int>& signals);
  // Restores the mask. Signals still pending are delivered then, except SIGPIPE, which was only blocked to see EPIPE.
  ~SignalFd();
  SignalFd(const SignalFd&) = delete;
  SignalFd& operator=(const SignalFd&) = delete;

  // For poll(2): readable when a signal waits.
  int get() const { return fd_.get(); }
  // The next signal, empty when none waits. Never blocks.
  std::optional<SignalInfo> next() const;

 private:
  Fd fd_;
  sigset_t before_;
  bool discard_pipe_ = false;
};

// What a foreground run takes from its own process and passes on: HUP INT QUIT TERM USR1 USR2 ALRM and the real-time ones,
// with WINCH and CONT (for the terminal) and PIPE (blocked, so that a write reports EPIPE instead of ending the program).
// Left out: what the kernel raises for a fault, what job control needs (TSTP, TTIN, TTOU), and signals that this process was
// started with as ignored (nohup, a background job of a script): those were refused on purpose.
std::vector<int> forwardable_signals();

// True for the signals by which a person asks a program to end.
bool is_termination(int signal);

}  // namespace drydock::process
