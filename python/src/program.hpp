// A program that was started for the interpreter, in a container of its own or in one that runs: waiting, signals, output.
//
// When it is closed, or the interpreter ends in whatever way, the program ends and everything is undone.
//
// Example: Program program = Program::start(spec, {.limit = 1 << 20}); program.wait(5.0);
// Source: docs/architecture.md, "The walk of one run"; the signals FAQ of pybind11 for waiting in slices.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include <drydock/plan/ledger.hpp>

#include "bindings.hpp"
#include "capture.hpp"

namespace drydock::python {

struct ProgramOptions {
  std::string inject;
  std::optional<std::string> input;  // standard input; without one /dev/null
  std::size_t limit = 0;             // bytes kept of each stream
};

class Program {
 public:
  using Start = std::function<container::Started(const container::RunOptions&)>;
  Program(const Start& start, const ProgramOptions& options);
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  const std::string& id() const { return id_; }
  const std::vector<std::string>& warnings() const { return warnings_; }
  // The exit status, when the program ends within `seconds` (empty: no limit). Throws py::error_already_set on Ctrl-C.
  std::optional<int> wait(std::optional<double> seconds);
  void send_signal(int number);
  bool out_of_memory();
  std::string output(int stream, std::size_t offset);
  std::uint64_t left_out(int stream);
  std::string trace();
  std::string timeline();
  // Ends it if it runs, and waits until everything is undone.
  void close();

  // In a child of fork: every handle there is of no use any more.
  static void after_fork_in_child();

 private:
  // What a child of fork must neither use nor destroy.
  struct Live {
    explicit Live(std::size_t limit) : capture(limit) {}
    Capture capture;
    std::optional<plan::Launch> launch;  // while it runs
    std::optional<plan::Ledger> ledger;  // afterwards
    plan::Plan plan;
    std::optional<int> exit_code;
    std::timed_mutex waiting;  // whoever listens to the monitor
    std::mutex change;         // launch becomes ledger and plan
  };

  Live& live();
  std::unique_lock<std::timed_mutex> lock(const std::optional<std::chrono::steady_clock::time_point>& until);
  void listen(Live& live, int timeout_ms);
  void end(Live& live, int exit_code);
  plan::Ledger& ledger(Live& live) { return live.launch ? live.launch->ledger() : *live.ledger; }

  std::string id_;
  std::vector<std::string> warnings_;
  std::unique_ptr<Live> live_;
  pid_t owner_;
};

}  // namespace drydock::python
