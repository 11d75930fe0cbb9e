// The caller's side of a launch: waiting until the program runs, its stdio, signals and terminal, and the reports.
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>

#include <drydock/container/engine.hpp>
#include <drydock/kernel/symbols.hpp>
#include <drydock/kernel/sys.hpp>
#include <drydock/plan/report.hpp>
#include <drydock/process/pump.hpp>
#include <drydock/process/terminal.hpp>
#include <drydock/process/wait.hpp>

namespace drydock::container {

namespace {

// A start takes some 10 ms. What hangs (a bind source on a dead network file system, a container that was frozen meanwhile)
// must not keep its user from ending it.
constexpr int slow_start_ms = 300;

void hear(plan::Launch& launch, const process::SignalFd& signals) {
  while (const auto signal = signals.next()) {
    if (process::is_termination(signal->number))
      throw Error::refused("start", "it was cancelled by " + symbols::signal(signal->number) + " before the program ran", "everything that was made for it is undone");
    if (signal->number != SIGPIPE && signal->number != SIGWINCH && signal->number != SIGCONT) launch.send_signal(signal->number);
  }
}

}  // namespace

Fd wait_started(plan::Launch& launch, const RunOptions& options, const process::SignalFd* signals, const std::function<void()>& when_slow) {
  if (!options.explain)
    return launch.wait_started(
        [&] {
          if (signals != nullptr) hear(launch, *signals);
          if (when_slow) when_slow();
        },
        slow_start_ms);
  const bool ask = process::is_terminal(0) && process::is_terminal(2);
  return launch.wait_started([&] {
    plan::serve_explain(launch.plan(), launch.ledger(), [&](const plan::Step& step) {
      std::fprintf(stderr, "%-8s %s\n         %s\n", std::string(plan::lane_name(step.lane)).c_str(), plan::print(step.action, launch.plan().slots()).c_str(), step.reason.c_str());
      if (!ask) return;
      std::fputs("         [Enter] ", stderr);
      char key = 0;
      while (::read(0, &key, 1) == 1 && key != '\n') {}
    });
  });
}

void report(const plan::Launch& launch, const RunOptions& options) {
  auto& ledger = const_cast<plan::Launch&>(launch).ledger();
  if (!options.trace_path.empty()) {
    const Fd file = sys::open(options.trace_path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    sys::write_all(file, plan::trace(launch.plan(), ledger));
  }
  if (options.timeline) std::fputs(plan::timeline(launch.plan(), ledger).c_str(), stderr);
}

namespace {

// What a program has left when its terminal or the reader of its output has gone.
constexpr int without_terminal_ms = 1000;

// pid 1 without a handler takes no notice of SIGHUP and SIGPIPE (pid_namespaces(7)): what is still there then is killed.
int end_of_program(plan::Launch& launch, int patience_ms) {
  if (patience_ms == 0 || !process::wait_readable(launch.control().get(), patience_ms)) launch.send_signal(SIGKILL);
  return launch.wait_exited();
}

}  // namespace

ForegroundEnd foreground(plan::Launch& launch, const process::SignalFd& signals, Fd terminal, bool interactive) {
  const bool has_terminal = static_cast<bool>(terminal);
  std::optional<process::RawMode> raw;
  if (has_terminal && interactive) raw.emplace(0);
  ForegroundEnd end;
  std::optional<Error> failure;
  process::Pump job;
  job.input = has_terminal && interactive ? 0 : -1;
  job.output = has_terminal ? 1 : -1;
  job.master = has_terminal ? terminal.get() : -1;
  job.control = launch.control().get();
  job.signals = &signals;
  job.raw = raw ? &*raw : nullptr;
  job.on_signal = [&](int number) { launch.send_signal(number); };
  job.on_control = [&] {
    try {
      const auto packet = launch.receive(0);
      if (!packet) return false;
      end.exit_code = packet->value;
      return packet->word == plan::wire::Word::exited;
    } catch (const Error& error) {
      failure = error;
      return true;
    }
  };
  const process::PumpEnd how = process::pump(job);
  raw.reset();
  if (failure) throw *failure;
  if (how == process::PumpEnd::detached) {
    launch.detach();
    end.detached = true;
  } else if (how != process::PumpEnd::finished) {
    if (how == process::PumpEnd::output_closed) launch.send_signal(SIGPIPE);
    const bool at_once = how == process::PumpEnd::forced;
    end.exit_code = end_of_program(launch, at_once ? 0 : without_terminal_ms);
  }
  return end;
}

}  // namespace drydock::container
