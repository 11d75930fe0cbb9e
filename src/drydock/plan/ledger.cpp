#include <drydock/plan/ledger.hpp>

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

#include <cerrno>
#include <chrono>
#include <functional>
#include <thread>
#include <utility>

#include <drydock/kernel/error.hpp>
#include <drydock/kernel/sys.hpp>
#include <drydock/plan/executor/context.hpp>

namespace drydock::plan {

Ledger::Ledger(const std::string& path) : file_(sys::open(path, O_RDWR | O_NOFOLLOW)), path_(path) {
  map();
}

Ledger::Ledger(Fd file) : file_(std::move(file)), path_("(unnamed)") {
  map();
}

Ledger::Ledger(Ledger&& other) noexcept
    : file_(std::move(other.file_)), path_(std::move(other.path_)), header_(std::exchange(other.header_, nullptr)), size_(other.size_) {}

Ledger::~Ledger() {
  if (header_ != nullptr) sys::munmap(header_, size_);
}

void Ledger::map() {
  size_ = static_cast<std::size_t>(sys::fstat(file_).st_size);
  const auto damaged = [this] {
    return Error::refused("ledger '" + path_ + "'", "it is damaged or of another version of drydock", "remove the file if no container of it runs");
  };
  if (size_ < sizeof(wire::Header)) throw damaged();
  header_ = static_cast<wire::Header*>(sys::mmap_shared(file_, size_, true));
  const wire::Header& head = *header_;
  const bool sound = head.magic_number == wire::magic && head.format == wire::version && head.size == size_ && head.blob_at <= size_ &&
                     head.steps_at + head.step_count * sizeof(wire::WireStep) <= size_ &&
                     head.records_at + head.step_count * sizeof(wire::Record) <= size_;
  if (sound) return;
  sys::munmap(std::exchange(header_, nullptr), size_);
  throw damaged();
}

const wire::WireStep& Ledger::step(unsigned index) const {
  return reinterpret_cast<const wire::WireStep*>(reinterpret_cast<const char*>(header_) + header_->steps_at)[index];
}

const wire::Record& Ledger::record(unsigned index) const {
  return reinterpret_cast<const wire::Record*>(reinterpret_cast<const char*>(header_) + header_->records_at)[index];
}

std::string_view Ledger::text(wire::Text where) const {
  if (header_->blob_at + std::uint64_t{where.offset} + where.length > size_) return {};
  return {reinterpret_cast<const char*>(header_) + header_->blob_at + where.offset, where.length};
}

namespace {

bool lives(pid_t pid, std::uint64_t start) {
  return pid > 0 && sys::start_time(pid) == start;
}

// What a killed process held is let go of in its last moments: they are waited for, but not for ever.
bool within_a_second(const std::function<bool()>& done) {
  const std::uint64_t end = sys::monotonic_ns() + 1'000'000'000;
  while (!done()) {
    if (sys::monotonic_ns() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

}  // namespace

bool Ledger::stale() const {
  return sys::read_file("/proc/sys/kernel/random/boot_id").substr(0, 36) != header_->boot_id;
}

bool Ledger::monitor_lives() const {
  return !stale() && lives(header_->monitor_pid, header_->monitor_start);
}

bool Ledger::monitor_lives_on() const {
  if (!monitor_lives()) return false;
  const pid_t pid = header_->monitor_pid;
  return !sys::is_dying(pid) || !within_a_second([&] { return !monitor_lives(); });
}

namespace {

void end_process(pid_t pid, std::uint64_t start) {
  if (!lives(pid, start)) return;
  try {
    const Fd pidfd = sys::pidfd_open(pid);
    if (lives(pid, start)) sys::pidfd_send_signal(pidfd, SIGKILL);
  } catch (const Error& error) {
    if (error.code() != ESRCH) throw;
  }
  within_a_second([&] { return !lives(pid, start); });
}

}  // namespace

void Ledger::end_processes() const {
  if (stale()) return;
  end_process(header_->payload_pid, header_->payload_start);
  for (unsigned index = 0; index < header_->step_count; ++index) {
    const auto op = static_cast<Op>(step(index).action.op);
    if (makes_process(op)) end_process(static_cast<pid_t>(record(index).result), record(index).identity);
  }
}

bool Ledger::recover(bool all) {
  if (!sys::try_lock(file_)) return false;
  if (monitor_lives_on()) return false;
  end_processes();
  executor::Context context;
  if (!executor::open_ledger(context, file_.get())) throw Error::refused("ledger '" + path_ + "'", "it cannot be mapped for undo", "try 'drydock reset' again");
  if (within_a_second([&] { return executor::undo(context, all); })) header_->undone_mono_ns = sys::monotonic_ns();
  sys::munmap(context.base, size_);
  if (!all) header_->phase = wire::Phase::exited;
  return true;
}

std::vector<std::string> ledger_paths(const std::string& directory) try {
  std::vector<std::string> paths = sys::list_directory(directory);
  for (std::string& name : paths) name.insert(0, directory + "/");
  return paths;
} catch (const Error& error) {
  if (error.code() != ENOENT) throw;  // nothing has been launched there, or a reset was here
  return {};
}

}  // namespace drydock::plan
