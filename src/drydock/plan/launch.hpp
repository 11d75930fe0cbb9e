// Handing a plan to a monitor, and talking to it.
//
// The caller never clones, unshares or joins: it spawns drydock-monitor (posix_spawn, so a caller of any size and with any
// number of threads starts it in the same time) with a socket on descriptor 3, and sends it the ledger. When the
// caller dies the socket closes, and the monitor undoes everything unless the container is detached.
// A monitor may be spawned before there is a plan: its start, two thirds of a millisecond, passes while the plan is made.
//
// Example: IdleMonitor monitor("/usr/libexec/drydock/drydock-monitor", id);
//          Launch launch = Launch::start(plan, settings, std::move(monitor), "/run/drydock/net-1/ledgers");
//          launch.wait_started();   // throws the Error of the step that failed; nothing is left then
// Source: posix_spawn(3), unix(7); CVE-2019-5736 for why the program is started through a read-only mount.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <drydock/kernel/error.hpp>
#include <drydock/kernel/fd.hpp>
#include <drydock/plan/ledger.hpp>
#include <drydock/plan/serialise.hpp>

namespace drydock::plan {

// Descriptors 0, 1 and 2 of a foreground program; -1 is our own one. Borrowed: they may be closed once the monitor is spawned.
struct Streams {
  int input = -1, output = -1, error = -1;
};

// A monitor that waits for its ledger. One that never gets any ends when this does.
class IdleMonitor {
 public:
  // `id` is shown by ps(1). Errors: posix_spawn, socketpair.
  IdleMonitor(const std::string& path, const std::string& id, const Streams& streams = {});
  IdleMonitor(IdleMonitor&& other) noexcept;
  IdleMonitor& operator=(IdleMonitor&&) = delete;
  ~IdleMonitor();

  // If the caller dies before it hands over a plan, the monitor takes down what all containers share, when nobody else uses it:
  // paths and messages as in executor/shared_network.hpp. Paths of more than 255 bytes are left to the next command.
  void answer_for(const std::string& pool, const std::string& ledgers, std::string_view teardown) const;

 private:
  friend class Launch;
  Fd control_, program_;
  pid_t pid_ = 0;
};

class Launch {
 public:
  // Writes the ledger (without a name yet) into `ledger_directory` and hands it to the monitor. Errors: openat, write.
  static Launch start(Plan plan, const Settings& settings, IdleMonitor monitor, const std::string& ledger_directory);
  // The same with a monitor that is spawned now.
  static Launch start(Plan plan, const Settings& settings, const std::string& monitor_path, const std::string& ledger_directory) {
    return start(std::move(plan), settings, IdleMonitor(monitor_path, settings.id), ledger_directory);
  }

  // The monitor's next word; empty when `timeout_ms` passed (-1: no limit). `descriptor` receives one that came along.
  std::optional<wire::Packet> receive(int timeout_ms, Fd* descriptor = nullptr);
  // Until the program runs. Returns a descriptor that came along (the terminal). Throws the failed step's Error.
  // `meanwhile`, if given, is called whenever the monitor has said nothing for `every_ms`; what it throws ends the waiting.
  Fd wait_started(const std::function<void()>& meanwhile = {}, int every_ms = 3);
  const Plan& plan() const { return plan_; }
  // When the program runs and nobody will ask for plan() any more: freeing it now costs nobody time.
  void forget_plan() { plan_ = Plan(); }
  // Until everything is undone; the program's exit status.
  int wait_exited();
  void send_signal(int number);
  // The monitor goes on without us.
  void detach();

  Ledger& ledger() { return ledger_; }
  const Ledger& ledger() const { return ledger_; }
  const Fd& control() const { return control_; }
  pid_t monitor() const { return monitor_; }
  // The failed step as an Error: call, printed arguments, errno, the kernel's own words, reason, remedy.
  Error failure() const;
  // Foreground: undoes everything if the program still runs, and waits for that.
  ~Launch();
  Launch(Launch&& other) noexcept;
  Launch& operator=(Launch&&) = delete;

 private:
  Launch(Plan plan, Ledger ledger, Fd control, pid_t monitor)
      : plan_(std::move(plan)), ledger_(std::move(ledger)), control_(std::move(control)), monitor_(monitor) {}

  Plan plan_;
  Ledger ledger_;
  Fd control_;
  pid_t monitor_ = 0;
};

}  // namespace drydock::plan
