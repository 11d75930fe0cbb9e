// wait, stop, kill, rm: everything goes through a pidfd whose process was checked by its start time.
#include <signal.h>

#include <cerrno>
#include <chrono>
#include <optional>
#include <thread>

#include <drydock/cgroups/group.hpp>
#include <drydock/container/engine.hpp>
#include <drydock/kernel/error.hpp>
#include <drydock/kernel/sys.hpp>
#include <drydock/process/wait.hpp>

namespace drydock::container {

namespace {

bool runs(const Record& record) {
  return record.status == Status::running || record.status == Status::frozen;
}

// The process that is meant, or nothing when it has ended (its pid may belong to somebody else by now).
std::optional<Fd> open_process(pid_t pid, std::uint64_t start) {
  try {
    Fd pidfd = sys::pidfd_open(pid);
    if (sys::start_time(pid) == start) return pidfd;
  } catch (const Error& error) {
    if (error.code() != ESRCH) throw;
  }
  return std::nullopt;
}

Error not_running(const Record& record) {
  return Error::refused("container '" + record.name + "'", "it is not running", "see 'drydock ps -a'");
}

void pause_briefly() {
  std::this_thread::sleep_for(std::chrono::milliseconds(2));
}

}  // namespace

int wait_undone(const plan::Ledger& ledger) {
  while (ledger.header().undone_mono_ns == 0 && ledger.monitor_lives()) pause_briefly();
  return ledger.header().exit_code;
}

int Engine::wait(const std::string& container) const {
  const Record record = find(container);
  const plan::Ledger ledger(record.ledger_path);
  if (const auto process = runs(record) ? open_process(record.pid, record.pid_start) : std::nullopt) process::wait_ended(*process);
  return wait_undone(ledger);
}

void Engine::kill(const std::string& container, int signal) {
  const Record record = find(container);
  const auto process = runs(record) ? open_process(record.pid, record.pid_start) : std::nullopt;
  if (!process || !sys::pidfd_send_signal(*process, signal)) throw not_running(record);
}

void Engine::stop(const std::string& container, int timeout_seconds) {
  const Record record = find(container);
  const plan::Ledger ledger(record.ledger_path);
  const auto process = runs(record) ? open_process(record.pid, record.pid_start) : std::nullopt;
  if (!process) return;  // stopping what has stopped is no error, as in Docker
  cgroups::Group group(cgroups::read_manageable_layout(), record.cgroups);
  if (record.status == Status::frozen) group.thaw();  // a frozen process takes no SIGTERM
  sys::pidfd_send_signal(*process, SIGTERM);
  if (!process::wait_ended(*process, timeout_seconds * 1000)) sys::pidfd_send_signal(*process, SIGKILL);
  process::wait_ended(*process);
  wait_undone(ledger);
}

void Engine::remove(const std::string& container, bool force) {
  const Record record = find(container);
  plan::Ledger ledger(record.ledger_path);
  if (runs(record)) {
    if (!force) throw Error::refused("container '" + record.name + "'", "it is running", "stop it first (drydock stop " + record.name + "), or use rm -f");
    const auto process = open_process(record.pid, record.pid_start);
    if (record.status == Status::frozen) cgroups::Group(cgroups::read_manageable_layout(), record.cgroups).thaw();
    if (process) {
      sys::pidfd_send_signal(*process, SIGKILL);
      process::wait_ended(*process);
    }
    wait_undone(ledger);
  }
  // The monitor of a --rm container removes it; any other has ended, or ends in this moment.
  while (ledger.monitor_lives()) pause_briefly();
  if (sys::exists(record.ledger_path)) ledger.recover(true);
}

}  // namespace drydock::container
