#include "program.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <set>

#include <drydock/kernel/error.hpp>
#include <drydock/kernel/sys.hpp>
#include <drydock/plan/report.hpp>
#include <drydock/process/exit_status.hpp>

#include "arguments.hpp"

namespace drydock::python {

namespace {

using Clock = std::chrono::steady_clock;

// Changed under the GIL only.
std::set<Program*>& programs() {
  static auto* const all = new std::set<Program*>;  // never destroyed: the interpreter's end has no order
  return *all;
}

// Standard input as a file in memory: any size, no thread, and its end is its end.
Fd input_of(const ProgramOptions& options) {
  if (!options.input) return sys::open("/dev/null", O_RDONLY);
  Fd file = sys::memfd_create("input", MFD_CLOEXEC);
  sys::write_all(file, *options.input);
  sys::lseek(file, 0);
  return file;
}

int slice_before(const std::optional<Clock::time_point>& until) {
  if (!until) return slice_ms;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*until - Clock::now()).count();
  return static_cast<int>(std::clamp<long long>(left, 0, slice_ms));
}

constexpr int stragglers_ms = 100;  // a program of exec may leave children that hold its output open

}  // namespace

Program::Program(const Start& start, const ProgramOptions& options) : live_(std::make_unique<Live>(options.limit)), owner_(::getpid()) {
  {
    const py::gil_scoped_release released;
    const Fd input = input_of(options);
    container::RunOptions run;
    run.inject = options.inject;
    run.streams = {input.get(), live_->capture.writer(1), live_->capture.writer(2)};
    run.while_starting = check_signals;
    container::Started started = start(run);
    live_->capture.begin();
    id_ = started.id;
    warnings_ = std::move(started.warnings);
    live_->launch.emplace(std::move(started.launch));
  }
  programs().insert(this);
}

Program::~Program() {
  programs().erase(this);
  if (owner_ != ::getpid()) static_cast<void>(live_.release());
  if (!live_) return;
  const py::gil_scoped_release released;
  live_.reset();
}

Program::Live& Program::live() {
  if (!live_ || owner_ != ::getpid())
    throw std::runtime_error("this handle belongs to process " + std::to_string(owner_) + ", which forked this one: make a new one here, or use drydock.find()");
  return *live_;
}

std::unique_lock<std::timed_mutex> Program::lock(const std::optional<Clock::time_point>& until) {
  std::unique_lock guard(live().waiting, std::defer_lock);
  while (!guard.try_lock_for(std::chrono::milliseconds(std::max(slice_before(until), 1)))) {
    check_signals();
    if (until && Clock::now() >= *until) break;
  }
  return guard;
}

// The monitor is reaped now; its ledger, once mapped, outlives its name.
void Program::end(Live& live, int exit_code) {
  {
    const std::lock_guard change(live.change);
    live.exit_code = exit_code;
    live.plan = live.launch->plan();
    live.ledger.emplace(std::move(live.launch->ledger()));
    live.launch.reset();
  }
  live.capture.finish(stragglers_ms);
}

// A monitor that was killed says nothing any more; what it leaves is undone by the next start.
void Program::listen(Live& live, int timeout_ms) {
  try {
    const auto packet = live.launch->receive(timeout_ms);
    if (packet && packet->word == plan::wire::Word::exited) end(live, packet->value);
  } catch (const Error&) {
    end(live, process::exit_runtime_failed);
    throw;
  }
}

std::optional<int> Program::wait(std::optional<double> seconds) {
  Live& live = this->live();
  const py::gil_scoped_release released;
  std::optional<Clock::time_point> until;
  if (seconds) until = Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(std::min(*seconds, 1e8)));
  const auto guard = lock(until);
  if (!guard) return std::nullopt;
  while (!live.exit_code) {
    listen(live, slice_before(until));
    check_signals();
    if (until && Clock::now() >= *until) break;
  }
  return live.exit_code;
}

void Program::send_signal(int number) {
  Live& live = this->live();
  const py::gil_scoped_release released;
  const std::lock_guard change(live.change);
  if (live.launch) live.launch->send_signal(number);
}

bool Program::out_of_memory() {
  Live& live = this->live();
  const std::lock_guard change(live.change);
  return ledger(live).header().out_of_memory != 0;
}

std::string Program::output(int stream, std::size_t offset) {
  return live().capture.text(stream, offset);
}

std::uint64_t Program::left_out(int stream) {
  return live().capture.left_out(stream);
}

std::string Program::trace() {
  Live& live = this->live();
  const std::lock_guard change(live.change);
  return plan::trace(live.launch ? live.launch->plan() : live.plan, ledger(live));
}

std::string Program::timeline() {
  Live& live = this->live();
  const std::lock_guard change(live.change);
  return plan::timeline(live.launch ? live.launch->plan() : live.plan, ledger(live));
}

void Program::close() {
  Live& live = this->live();
  const py::gil_scoped_release released;
  const auto guard = lock(std::nullopt);
  if (live.launch) listen(live, 0);
  if (live.launch) end(live, 128 + SIGKILL);
}

void Program::after_fork_in_child() {
  for (Program* program : programs()) {
    if (!program->live_) continue;
    // A copy of the socket would keep the container alive when the parent is killed.
    program->live_->capture.abandon();
    if (program->live_->launch) ::close(program->live_->launch->control().get());
    static_cast<void>(program->live_.release());  // its locks and its thread are the parent's
  }
}

namespace {

ProgramOptions program_options(const std::optional<py::bytes>& input, std::size_t limit, const std::string& inject) {
  ProgramOptions options{inject, std::nullopt, limit};
  if (input) options.input = std::string(*input);
  return options;
}

std::unique_ptr<Program> start(const container::Spec& spec, const std::optional<py::bytes>& input, std::size_t limit, const std::string& inject) {
  return std::make_unique<Program>(
      [&spec](const container::RunOptions& options) {
        recover(true);
        return engine().start(spec, options);
      },
      program_options(input, limit, inject));
}

std::unique_ptr<Program> start_exec(const std::string& container, const std::vector<std::string>& command, const py::dict& options,
                                    const std::optional<py::bytes>& input, std::size_t limit) {
  container::ExecSpec spec = exec_spec_from(command, options);
  spec.interactive = true;
  return std::make_unique<Program>([&](const container::RunOptions& run) { return engine().start_exec(container, spec, run); },
                                   program_options(input, limit, ""));
}

}  // namespace

void declare_program(py::module_& module) {
  py::class_<Program>(module, "Program")
      .def_property_readonly("id", &Program::id)
      .def_property_readonly("warnings", &Program::warnings)
      .def("wait", &Program::wait, py::arg("seconds"))
      .def("send_signal", &Program::send_signal, py::arg("number"))
      .def("out_of_memory", &Program::out_of_memory)
      .def("output", [](Program& program, int stream, std::size_t offset) { return py::bytes(program.output(stream, offset)); },
           py::arg("stream"), py::arg("offset"))
      .def("left_out", &Program::left_out, py::arg("stream"))
      .def("trace", &Program::trace)
      .def("timeline", &Program::timeline)
      .def("close", &Program::close);
  module.def("start", &start, py::arg("spec"), py::arg("input"), py::arg("limit"), py::arg("inject"));
  module.def("start_exec", &start_exec, py::arg("container"), py::arg("command"), py::arg("options"), py::arg("input"), py::arg("limit"));
  module.def("after_fork_in_child", &Program::after_fork_in_child);
}

}  // namespace drydock::python
