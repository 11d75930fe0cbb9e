#include "shared/payload.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>

#include <array>

#include <drydock/container/directories.hpp>
#include <drydock/container/engine.hpp>
#include <drydock/kernel/error.hpp>
#include <drydock/kernel/raw.hpp>
#include <drydock/kernel/sys.hpp>
#include <drydock/plan/report.hpp>
#include <drydock/process/signals.hpp>
#include <drydock/process/wait.hpp>

#include "shared/patience.hpp"

namespace drydock::chapter {

namespace {

// Held until the plan's ledger, if it has a name, has it.
Fd claim_directories(const plan::Settings& settings) {
  return settings.ledger_path.empty() ? Fd() : container::prepare_directories(container::default_paths());
}

// The ledger of a plan that gives it no name is a file that nobody else sees: any directory in memory will do.
std::string ledger_directory(const plan::Settings& settings) {
  if (!settings.ledger_path.empty()) return settings.ledger_path.substr(0, settings.ledger_path.rfind('/'));
  for (const char* candidate : {"/dev/shm", "/run", "/tmp"})
    if (!raw::failed(raw::call(SYS_faccessat, AT_FDCWD, candidate, W_OK | X_OK))) return candidate;
  return ".";
}

// Descriptors 0 to 2 are others as long as this lives: a monitor takes them as they are when it is spawned.
class Redirected {
 public:
  explicit Redirected(const Talk& theirs) {
    const std::array<int, 3> wanted{theirs.input(), theirs.output(), theirs.output()};
    for (int number = 0; number < 3; ++number) {
      kept_[static_cast<std::size_t>(number)] = Fd(static_cast<int>(raw::call(SYS_fcntl, number, F_DUPFD_CLOEXEC, 10)));
      raw::call(SYS_dup3, wanted[static_cast<std::size_t>(number)], number, 0);
    }
  }
  ~Redirected() {
    for (int number = 0; number < 3; ++number) {
      const Fd& before = kept_[static_cast<std::size_t>(number)];
      if (before)
        raw::call(SYS_dup3, before.get(), number, 0);
      else
        raw::call(SYS_close, number);
    }
  }
  Redirected(const Redirected&) = delete;

 private:
  std::array<Fd, 3> kept_;
};

container::RunOptions run_options(const Options& options) {
  container::RunOptions out;
  out.explain = options.explain;
  return out;
}

std::unique_ptr<plan::Launch> start(const Options& options, Draft draft, plan::IdleMonitor monitor) {
  if (options.explain) draft.settings.flags |= plan::wire::flag_explain;
  const std::string directory = ledger_directory(draft.settings);
  return std::make_unique<plan::Launch>(
      plan::Launch::start(std::move(draft.plan), draft.settings, std::move(monitor), directory));
}

void append_trace(const Options& options, plan::Launch& launch) {
  if (options.trace.empty()) return;
  const Fd file = sys::open(options.trace, O_WRONLY | O_CREAT | O_APPEND, 0644);
  sys::write_all(file, plan::trace(launch.plan(), launch.ledger()));
}

plan::IdleMonitor idle_monitor(const plan::Settings& settings) {
  return plan::IdleMonitor(container::default_paths().monitor, settings.id);
}

}  // namespace

Payload::Payload(Narrator& tell, Draft draft) : tell_(tell) {
  auto [ours, theirs] = talk_pair();
  plan::IdleMonitor monitor = [&] {
    const Redirected redirected(theirs);
    return idle_monitor(draft.settings);
  }();
  const Fd claim = claim_directories(draft.settings);
  launch_ = start(tell.options(), std::move(draft), std::move(monitor));
  try {
    container::wait_started(*launch_, run_options(tell.options()), nullptr);
  } catch (...) {
    append_trace(tell.options(), *launch_);
    throw;
  }
  talk_ = std::move(ours);
  pid_ = launch_->ledger().header().payload_pid;
  pidfd_ = sys::pidfd_open(pid_);
}

void Payload::signal(int number) {
  launch_->send_signal(number);
}

bool Payload::ends_within(int timeout_ms) const {
  return process::wait_ended(pidfd_, timeout_ms);
}

int Payload::end() {
  talk_.close();
  return wait();
}

int Payload::wait() {
  if (!ends_within(patience_ms()))
    throw Error::refused("the program", "it did not end within ten seconds", "this is a defect of the chapter");
  const int code = launch_->wait_exited();
  leave();
  return code;
}

void Payload::leave() {
  if (std::exchange(ended_, true)) return;
  append_trace(tell_.options(), *launch_);
}

Payload::~Payload() {
  if (ended_) return;
  try {
    launch_->send_signal(SIGKILL);
    launch_->wait_exited();
    leave();
  } catch (const Error&) {
    // The launch's own end undoes everything.
  }
}

int run_in_foreground(Narrator& tell, Sketch sketch) {
  Draft draft = std::move(sketch).build();
  plan::IdleMonitor monitor = idle_monitor(draft.settings);
  const process::SignalFd signals(process::forwardable_signals());
  const Fd claim = claim_directories(draft.settings);
  const auto launch = start(tell.options(), std::move(draft), std::move(monitor));
  Fd terminal = container::wait_started(*launch, run_options(tell.options()), tell.options().explain ? nullptr : &signals);
  const container::ForegroundEnd end = container::foreground(*launch, signals, std::move(terminal), false);
  append_trace(tell.options(), *launch);
  return end.exit_code;
}

std::vector<std::string> inside(const std::string& name) {
  return {sys::readlink("/proc/self/exe"), "--inside", name};
}

}  // namespace drydock::chapter
