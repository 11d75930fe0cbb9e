#include <drydock/lab/box.hpp>

#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include <drydock/cgroups/host.hpp>
#include <drydock/container/container.hpp>
#include <drydock/kernel/error.hpp>
#include <drydock/kernel/raw.hpp>
#include <drydock/kernel/sys.hpp>

namespace drydock::lab {

namespace {

struct Pipe {
  Fd read, write;
};

Pipe make_pipe() {
  int ends[2];
  const long result = raw::call(SYS_pipe2, ends, O_CLOEXEC);
  if (raw::failed(result)) throw Error::from_errno("pipe2", "O_CLOEXEC", raw::error_of(result));
  raw::call(SYS_fcntl, ends[0], F_SETFL, O_NONBLOCK);
  return {Fd(ends[0]), Fd(ends[1])};
}

cgroups::LimitWrites limit_writes_of(const BoxLimits& limits, const cgroups::Layout& layout) {
  cgroups::Limits asked;
  asked.memory = limits.memory;
  asked.pids = limits.pids;
  asked.cpus = limits.cpus;
  const cgroups::Host host = cgroups::read_host(layout, asked);
  // Swap would only make a memory bomb slower.
  if (host.swap && host.swap_accounting) asked.memory_swap = static_cast<std::int64_t>(limits.memory);
  cgroups::LimitWrites writes = cgroups::limit_writes(layout, asked, host);
  if (!writes.warnings.empty())
    throw Error::refused("the box", "this machine cannot enforce its limits: " + writes.warnings.front(), "see 'drydock doctor'");
  return writes;
}

BoxHost host_of(const BoxSpec& spec, const Machine& machine) {
  BoxHost host;
  host.id = sys::random_hex(64);
  host.ledgers = machine.ledgers;
  host.index = static_cast<unsigned>(std::stoul(host.id.substr(0, 4), nullptr, 16)) % box_count;
  host.layout = machine.layout;
  host.writes = limit_writes_of(spec.limits, machine.layout);
  host.filter = machine.filter;
  return host;
}

// Both the grader and its monitor were killed: pid 1 of the box died with the monitor, the ledger says what else there was.
void recover(const std::string& ledgers) {
  for (const std::string& path : plan::ledger_paths(ledgers)) try {
      plan::Ledger ledger(path);
      if (!ledger.monitor_lives_on()) ledger.recover(true);
    } catch (const Error& error) {
      if (error.code() != ENOENT) throw;  // another grader was faster
    }
}

}  // namespace

Machine prepare_machine() {
  if (sys::geteuid() != 0)
    throw Error::refused("the box", "root is needed to make user namespaces with ranges of ids, and limits",
                         "run the command with sudo");
  const container::Paths paths = container::default_paths();
  Machine machine{paths.monitor, paths.state + "/lab", cgroups::read_layout(), box_filter()};
  sys::mkdirs(machine.ledgers, 0700);
  recover(machine.ledgers);
  return machine;
}

Box::Box(const BoxSpec& spec, const Machine& machine)
    : limits_(spec.limits), output_(spec.limits.output), error_(spec.limits.output), group_(machine.layout, {}) {
  const Fd null = sys::open("/dev/null", O_RDONLY);
  Pipe out = make_pipe(), err = make_pipe();
  BoxHost host = host_of(spec, machine);
  plan::IdleMonitor monitor(machine.monitor, host.id, {null.get(), out.write.get(), err.write.get()});
  BoxPlan made = box_plan(spec, host);
  group_ = cgroups::Group(machine.layout, made.groups);
  machine.made->push_back(made.settings.ledger_path);
  machine.made->insert(machine.made->end(), made.groups.begin(), made.groups.end());
  output_fd_ = std::move(out.read);
  error_fd_ = std::move(err.read);
  out.write.reset();
  err.write.reset();
  deadline_ns_ = sys::monotonic_ns() + static_cast<std::uint64_t>(spec.limits.seconds) * 1'000'000'000;
  launch_.emplace(plan::Launch::start(std::move(made.plan), made.settings, std::move(monitor), machine.ledgers));
  launch_->wait_started();
  init_ = launch_->ledger().header().payload_pid;
}

// Launch's own destructor ends the box and waits until it is undone.
Box::~Box() = default;

void Box::read_stream(Fd& stream, Capture& into) {
  std::array<char, 65536> buffer;
  for (int rounds = 0; stream && rounds < 16; ++rounds) {
    const long size = raw::call(SYS_read, stream.get(), buffer.data(), buffer.size());
    if (size == -EINTR || size == -EAGAIN) return;
    if (size <= 0) return stream.reset();
    into.take({buffer.data(), static_cast<std::size_t>(size)});
    if (into.total() > limits_.flood) {
      end_.flooded = true;
      return;
    }
  }
}

// Throws Error when the monitor was killed: no program in the box can do that.
void Box::hear() {
  ended_ = true;
  const auto packet = launch_->receive(0);
  ended_ = packet && packet->word == plan::wire::Word::exited;
  if (ended_) end_.exit_code = packet->value;
}

void Box::pump(int timeout_ms) {
  std::array<pollfd, 3> events{
      {{output_fd_.get(), POLLIN, 0}, {error_fd_.get(), POLLIN, 0}, {launch_->control().get(), POLLIN, 0}}};
  const timespec limit{timeout_ms / 1000, (timeout_ms % 1000) * 1'000'000L};
  raw::call(SYS_ppoll, events.data(), events.size(), &limit, nullptr, 0);
  read_stream(output_fd_, output_);
  read_stream(error_fd_, error_);
  hear();
}

bool Box::over() {
  if (!end_.exit_code && sys::monotonic_ns() > deadline_ns_) end_.out_of_time = true;
  return ended_ || end_.out_of_time || end_.flooded;
}

bool Box::wait_for(const std::function<bool()>& seen, int timeout_ms) {
  const std::uint64_t until = sys::monotonic_ns() + static_cast<std::uint64_t>(timeout_ms) * 1'000'000;
  while (!over()) {
    if (seen()) return true;
    if (sys::monotonic_ns() > until) return false;
    pump(4);
  }
  return !ended_ && seen();
}

const BoxEnd& Box::wait() {
  while (!over()) pump(50);
  return stop();
}

const BoxEnd& Box::stop() {
  if (launch_) {
    if (!ended_) hear();
    end_.out_of_memory = launch_->ledger().header().out_of_memory != 0 || group_.events().oom_kills > 0;
    launch_.reset();
  }
  ended_ = true;
  if (!end_.flooded) {
    read_stream(output_fd_, output_);
    read_stream(error_fd_, error_);
  }
  end_.output = output_.text();
  end_.error = error_.text();
  end_.output_complete = output_.complete();
  return end_;
}

std::vector<pid_t> Box::pids() const {
  std::vector<pid_t> all = group_.exists() ? group_.pids() : std::vector<pid_t>();
  std::erase(all, init_);
  return all;
}

}  // namespace drydock::lab
