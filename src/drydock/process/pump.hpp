// The caller's side of `run -it` and `attach`: bytes between the user's terminal and the container's, signals, window size.
//
// The loop owns nothing: every descriptor is borrowed. Without a pty (`master` -1) it only passes signals on and waits for the
// control socket, which is what a foreground run without -t needs.
//
// Example:
//   SignalFd signals(forwardable_signals());
//   RawMode raw(0);
//   Pump job{.input = 0, .output = 1, .master = pty.get(), .control = socket.get(), .signals = &signals, .raw = &raw};
//   job.on_control = [&] { return read_packet(socket) == ended; };
//   job.on_signal = [&](int signal) { send(socket, signal); };
//   switch (pump(job)) { ... }
// Source: pty(7), termios(3) (VEOF), poll(2), docker-attach(1) for the detach keys.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include <drydock/process/signals.hpp>
#include <drydock/process/terminal.hpp>

namespace drydock::process {

enum class PumpEnd {
  finished,       // the control socket said so, or it closed; the last output has been written
  hung_up,        // no control socket, and the container's side of the pty closed
  detached,       // the user typed the detach keys
  output_closed,  // nobody reads our output any more (EPIPE)
  terminal_gone,  // the user's terminal was closed (its window, its connection); SIGHUP was passed on
  forced          // the user asked `give_up_after` times to end it
};

struct Pump {
  int input = -1;  // -1: nothing to read
  int output = -1;
  int master = -1;  // pty or socket; set to O_NONBLOCK (for everybody who shares the open file description)
  int control = -1;
  const SignalFd* signals = nullptr;
  RawMode* raw = nullptr;                // entered again after SIGCONT
  std::string detach_keys = "\x10\x11";  // ctrl-p ctrl-q; empty: none. Only looked for when `input` is a terminal
  int give_up_after = 3;                 // SIGINT/SIGTERM/SIGQUIT/SIGHUP; 0: never
  // `control` is readable or closed: take what is there; true ends the loop after the master is drained.
  std::function<bool()> on_control = [] { return true; };
  // A signal for the container. SIGWINCH, SIGCONT and SIGPIPE are dealt with here and do not arrive.
  std::function<void(int)> on_signal;
};

// Runs until one of the ends above. Errors: Error of ppoll or read on a descriptor that is not ours to use; EIO and EOF of the
// master, EPIPE of the output and the end of the input are not errors.
PumpEnd pump(const Pump& job);

// Finds the detach keys in what is typed. A prefix of the sequence is held back until the next key decides, as in Docker.
class DetachKeys {
 public:
  explicit DetachKeys(std::string keys) : keys_(std::move(keys)) {}
  // What to pass on of `typed`; sets detached() when the sequence is complete (the rest of `typed` is dropped).
  std::string feed(std::string_view typed);
  bool detached() const { return !keys_.empty() && matched_ == keys_.size(); }

 private:
  std::string keys_;
  std::size_t matched_ = 0;
};

// The bytes that mean "end of input" to a program that reads a terminal, after `last` was the last byte sent ('\n' when none):
// VEOF ends the input only at the start of a line, elsewhere the first one just hands over the line.
std::string_view end_of_input(char last);

}  // namespace drydock::process
