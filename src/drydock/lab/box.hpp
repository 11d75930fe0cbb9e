// A box that runs: started, watched from outside, ended. Whatever happens, nothing of it is left.
//
// Example: Box box(spec, machine);
//          box.wait_for([&] { return witness.probe(box, words).has_value(); });
//          const BoxEnd end = box.stop();
// Source: box_plan.hpp for what it is made of; plan/launch.hpp for who makes it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <drydock/cgroups/group.hpp>
#include <drydock/lab/box_plan.hpp>
#include <drydock/lab/capture.hpp>
#include <drydock/plan/launch.hpp>

namespace drydock::lab {

using Words = std::vector<std::string>;

// What all boxes of a run share: read once.
struct Machine {
  std::string monitor, ledgers;  // a program; a directory
  cgroups::Layout layout;
  std::string filter;
  std::shared_ptr<Words> made = std::make_shared<Words>();  // paths of ledgers and groups of all boxes so far
};

// Makes STATE/lab, and undoes what a grader and a monitor that were killed together have left there. Throws Error without root.
Machine prepare_machine();

struct BoxEnd {
  std::optional<int> exit_code;  // of the program by itself; empty when the box was stopped
  bool out_of_time = false;      // its seconds were over
  bool flooded = false;          // it wrote more than BoxLimits::flood
  bool out_of_memory = false;
  std::string output, error;  // what is kept of its streams
  bool output_complete = true;
};

class Box {
 public:
  // Returns when the program runs. Throws Error when the box cannot be made: the machine's fault, never the program's.
  Box(const BoxSpec& spec, const Machine& machine);
  ~Box();
  Box(const Box&) = delete;
  Box& operator=(const Box&) = delete;

  // Looks every few milliseconds, and reads the streams meanwhile. False when the program has ended, the time is up or it said
  // too much before `seen` was true; it is asked once more then, if the box still stands.
  bool wait_for(const std::function<bool()>& seen, int timeout_ms = 5000);
  // Until the program ends by itself or breaks a limit; then everything is undone.
  const BoxEnd& wait();
  // Ends it now, undoes everything.
  const BoxEnd& stop();

  bool ended() const { return ended_; }
  // All processes of the box but pid 1, in the host's numbers.
  std::vector<pid_t> pids() const;
  pid_t init() const { return init_; }
  cgroups::Group& group() { return group_; }
  // What was said so far.
  std::string error_text() const { return error_.text(); }

 private:
  void pump(int timeout_ms);
  void read_stream(Fd& stream, Capture& into);
  void hear();
  bool over();

  BoxLimits limits_;
  Fd output_fd_, error_fd_;
  Capture output_, error_;
  cgroups::Group group_;
  std::optional<plan::Launch> launch_;
  pid_t init_ = 0;
  std::uint64_t deadline_ns_ = 0;
  bool ended_ = false;
  BoxEnd end_;
};

}  // namespace drydock::lab
