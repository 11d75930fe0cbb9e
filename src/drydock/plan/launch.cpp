#include <drydock/plan/launch.hpp>

#include <fcntl.h>
#include <linux/mount.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <drydock/kernel/raw.hpp>
#include <drydock/kernel/remedies.hpp>
#include <drydock/kernel/sys.hpp>
#include <drydock/plan/executor/packets.hpp>

namespace drydock::plan {

namespace {

// The ledger has no name until the monitor's first step gives it one: a caller that dies now leaves nothing.
Fd write_ledger(const std::string& directory, const std::string& bytes) {
  Fd file = sys::open(directory, O_TMPFILE | O_RDWR, 0600);
  try {
    sys::write_all(file, bytes);
  } catch (const Error& error) {
    throw Error::from_errno("write", "a ledger of " + std::to_string(bytes.size()) + " bytes in \"" + directory + "\"", error.code());
  }
  return file;
}

// CVE-2019-5736: a container can reach the program that made it through /proc/self/exe. It gets a descriptor on a mount
// that nobody can write through; where such a mount is not allowed, a sealed copy in memory.
Fd read_only_program(const std::string& path) {
  const long tree = raw::call(SYS_open_tree, AT_FDCWD, path.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
  if (!raw::failed(tree)) {
    Fd mount(static_cast<int>(tree));
    mount_attr attributes{};
    attributes.attr_set = MOUNT_ATTR_RDONLY;
    if (raw::call(SYS_mount_setattr, mount.get(), "", AT_EMPTY_PATH, &attributes, sizeof attributes) == 0) return mount;
  }
  if (raw::error_of(tree) == ENOENT)
    throw Error::refused("drydock-monitor", "it is not at " + path, remedies::monitor);
  const std::string program = sys::read_file(path);
  Fd copy = sys::memfd_create("drydock-monitor", MFD_ALLOW_SEALING);
  sys::write_all(copy, program);
  const long sealed = raw::call(SYS_fcntl, copy.get(), F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
  if (raw::failed(sealed)) throw Error::from_errno("fcntl", "F_ADD_SEALS", raw::error_of(sealed));
  return copy;
}

// A copy out of the way of the numbers 0 to 3, which become the monitor's streams and socket.
Fd copy_above(int fd) {
  const long copy = raw::call(SYS_fcntl, fd, F_DUPFD_CLOEXEC, executor::control_number + 1);
  if (raw::failed(copy)) throw Error::from_errno("fcntl", std::to_string(fd) + ", F_DUPFD_CLOEXEC", raw::error_of(copy));
  return Fd(static_cast<int>(copy));
}

Fd moved_up(Fd fd) {
  return fd.get() > executor::control_number ? std::move(fd) : copy_above(fd.get());
}

class SpawnActions {
 public:
  SpawnActions() { posix_spawn_file_actions_init(&actions_); }
  ~SpawnActions() { posix_spawn_file_actions_destroy(&actions_); }
  SpawnActions(const SpawnActions&) = delete;
  SpawnActions& operator=(const SpawnActions&) = delete;
  void dup(const Fd& from, int to) { posix_spawn_file_actions_adddup2(&actions_, from.get(), to); }
  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_;
};

pid_t spawn_monitor(const std::string& path, const std::string& id, const Fd& program, const Fd& control, const Streams& streams) {
  SpawnActions actions;
  std::array<Fd, 3> copies;
  const std::array<int, 3> given{streams.input, streams.output, streams.error};
  for (std::size_t number = 0; number < given.size(); ++number) {
    if (given[number] < 0) continue;
    copies[number] = copy_above(given[number]);
    actions.dup(copies[number], static_cast<int>(number));
  }
  actions.dup(control, executor::control_number);
  std::string name = "drydock-monitor", container = id;
  std::array<char*, 3> argv{name.data(), container.data(), nullptr};
  std::array<char*, 1> env{nullptr};
  const std::string executable = "/proc/self/fd/" + std::to_string(program.get());
  pid_t pid = 0;
  const int code = posix_spawn(&pid, executable.c_str(), actions.get(), nullptr, argv.data(), env.data());
  if (code != 0) throw Error::from_errno("posix_spawn", "\"" + path + "\"", code);
  return pid;
}

void wait_for_end(pid_t pid) {
  while (raw::call(SYS_wait4, pid, nullptr, 0, nullptr) == -EINTR) {}
}

}  // namespace

IdleMonitor::IdleMonitor(const std::string& path, const std::string& id, const Streams& streams) {
  int pair[2];
  const long result = raw::call(SYS_socketpair, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair);
  if (raw::failed(result)) throw Error::from_errno("socketpair", "AF_UNIX, SOCK_SEQPACKET", raw::error_of(result));
  control_ = Fd(pair[0]);
  // One of the numbers 0 to 2 would be overwritten by a stream before it is copied.
  const Fd theirs = moved_up(Fd(pair[1]));
  program_ = moved_up(read_only_program(path));
  pid_ = spawn_monitor(path, id, program_, theirs, streams);
}

IdleMonitor::IdleMonitor(IdleMonitor&& other) noexcept
    : control_(std::move(other.control_)), program_(std::move(other.program_)), pid_(std::exchange(other.pid_, 0)) {}

void IdleMonitor::answer_for(const std::string& pool, const std::string& ledgers, std::string_view teardown) const {
  wire::PoolNote note;
  if (pool.size() >= sizeof note.pool || ledgers.size() >= sizeof note.ledgers || teardown.size() > sizeof note.teardown) return;
  pool.copy(note.pool, pool.size());
  ledgers.copy(note.ledgers, ledgers.size());
  teardown.copy(note.teardown, teardown.size());
  note.length = static_cast<std::uint32_t>(teardown.size());
  executor::send_packet(control_.get(), {wire::Word::pool, 0});
  raw::call(SYS_sendto, control_.get(), &note, sizeof note, MSG_NOSIGNAL, nullptr, 0);
}

IdleMonitor::~IdleMonitor() {
  if (pid_ <= 0) return;
  control_.reset();
  wait_for_end(pid_);
}

Launch Launch::start(Plan plan, const Settings& settings, IdleMonitor monitor, const std::string& ledger_directory) {
  const std::uint64_t spawned = sys::monotonic_ns();
  Ledger ledger(write_ledger(ledger_directory, serialise(plan, settings)));
  ledger.header().spawned_mono_ns = spawned;
  // A monitor that was killed meanwhile is noticed when its word is waited for.
  executor::send_packet(monitor.control_.get(), {wire::Word::ledger, 0}, ledger.file().get());
  Launch launch(std::move(plan), std::move(ledger), std::move(monitor.control_), std::exchange(monitor.pid_, 0));
  // The last look at the detached mount waits for a grace period (RCU, 20-200 us): now, while the monitor works.
  monitor.program_.reset();
  return launch;
}

std::optional<wire::Packet> Launch::receive(int timeout_ms, Fd* descriptor) {
  pollfd event{control_.get(), POLLIN, 0};
  const timespec limit{timeout_ms / 1000, (timeout_ms % 1000) * 1'000'000L};
  const long ready = raw::call(SYS_ppoll, &event, 1, timeout_ms < 0 ? nullptr : &limit, nullptr, 0);
  if (ready == 0 || ready == -EINTR) return std::nullopt;
  wire::Packet packet;
  int fd = -1;
  if (!executor::receive_packet_fd(control_.get(), packet, fd)) {
    // Its word will never come.
    const bool began = ledger_.header().entered_mono_ns != 0;
    throw Error::refused("drydock-monitor", began ? "it ended without a word (was it killed?)" : "it ended before it began (was it killed, or is it another program?)",
                         began ? "the next command, or 'drydock reset', undoes what it did" : remedies::monitor);
  }
  if (packet.word == wire::Word::unfit)
    throw Error::refused("drydock-monitor", "it is of another build: it reads plans of format " + std::to_string(packet.value) + ", and this program writes format " + std::to_string(wire::version), remedies::monitor);
  // Its process may go on, for things that all containers share; who is parting leaves it to init.
  if (packet.word == wire::Word::exited && (ledger_.header().flags & wire::flag_parting) != 0) monitor_ = 0;
  if (descriptor != nullptr) *descriptor = Fd(fd);
  else if (fd >= 0) Fd closes(fd);
  return packet;
}

Fd Launch::wait_started(const std::function<void()>& meanwhile, int every_ms) {
  Fd terminal;
  for (;;) {
    Fd descriptor;
    const auto packet = receive(meanwhile ? every_ms : -1, &descriptor);
    if (!packet && meanwhile) meanwhile();
    if (!packet) continue;
    if (packet->word == wire::Word::descriptor) terminal = std::move(descriptor);
    if (packet->word == wire::Word::started) return terminal;
    if (packet->word == wire::Word::failed) throw failure();
  }
}

int Launch::wait_exited() {
  for (;;) {
    const auto packet = receive(-1);
    if (packet && packet->word == wire::Word::exited) return packet->value;
    if (packet && packet->word == wire::Word::failed) throw failure();
  }
}

namespace {

// A monitor that is gone is noticed by whoever waits for its word.
void tell(const Fd& control, wire::Word word, int value) {
  executor::send_packet(control.get(), {word, value});
}

}  // namespace

void Launch::send_signal(int number) {
  tell(control_, wire::Word::signal, number);
}

void Launch::detach() {
  tell(control_, wire::Word::detach, 0);
  monitor_ = 0;  // it lives on: nobody here waits for it
}

Error Launch::failure() const {
  const wire::Header& header = ledger_.header();
  const std::string detail = header.failed_detail;
  if (header.failed_step < 0 || plan_.steps().empty()) {
    const bool cancelled = header.cancelled != 0;
    return Error(Error::Parts{"launch", "", cancelled ? 0 : header.failed_error, "", cancelled ? "it was cancelled" : detail,
                              cancelled ? "" : "the kernel may have killed it for want of memory: is the memory limit (-m) very small?"});
  }
  const Step& step = plan_.steps().at(static_cast<std::size_t>(header.failed_step));
  std::string arguments = print(step.action, plan_.slots());
  arguments = arguments.substr(info(step.action.op).name.size() + 1);
  arguments.pop_back();
  if (!step.target.empty() && arguments.find(step.target.substr(0, 40)) == std::string::npos) arguments += " for " + step.target;
  Error::Parts parts{std::string(info(step.action.op).name), arguments, header.failed_error, step.id, "", "", step.target};
  const std::string who = step.action.op == Op::start_helper ? step.target : "the kernel";
  if (!detail.empty()) parts.reason = who + " says: " + detail;
  return Error(std::move(parts));
}

Launch::Launch(Launch&& other) noexcept
    : plan_(std::move(other.plan_)), ledger_(std::move(other.ledger_)), control_(std::move(other.control_)), monitor_(std::exchange(other.monitor_, 0)) {}

Launch::~Launch() {
  if (monitor_ <= 0) return;
  // Closing our end is the order to undo everything, unless the container is detached: then the process that we spawned has
  // ended long ago. What lingers for shared things is nobody's child of ours.
  control_.reset();
  wait_for_end(monitor_);
}

}  // namespace drydock::plan
