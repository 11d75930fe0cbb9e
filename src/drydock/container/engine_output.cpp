// logs and attach: what a detached container writes, and connecting to it while it runs.
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <deque>
#include <thread>

#include <nlohmann/json.hpp>

#include <drydock/container/engine.hpp>
#include <drydock/kernel/error.hpp>
#include <drydock/kernel/raw.hpp>
#include <drydock/kernel/sys.hpp>
#include <drydock/plan/executor/output.hpp>
#include <drydock/process/pump.hpp>
#include <drydock/process/signals.hpp>
#include <drydock/process/terminal.hpp>

namespace drydock::container {

namespace {

using LineSink = std::function<bool(int, std::string_view)>;

// One line of the log, {"log":..,"stream":..,"time":..}; a damaged one is shown as it is.
bool deliver(const std::string& line, bool timestamps, const LineSink& sink) {
  const auto entry = nlohmann::json::parse(line, nullptr, false);
  if (entry.is_discarded() || !entry.contains("log")) return sink(1, line + "\n");
  std::string text = entry.value("log", "");
  if (timestamps) text = entry.value("time", "") + " " + text;
  return sink(entry.value("stream", "stdout") == "stderr" ? 2 : 1, text);
}

// Reads whole lines as they come.
class LogReader {
 public:
  explicit LogReader(const std::string& path) : file_(sys::open(path, O_RDONLY)) {}
  // To where the last `count` lines begin.
  void skip_to_last(std::uint64_t count) {
    std::deque<off_t> starts{0};  // of those lines, and of the one that is yet to come
    std::array<char, 65536> buffer;
    off_t at = 0;
    while (const std::size_t size = sys::read(file_, buffer.data(), buffer.size())) {
      for (std::size_t index = 0; index < size; ++index) {
        if (buffer[index] != '\n') continue;
        starts.push_back(at + static_cast<off_t>(index) + 1);
        if (starts.size() - 1 > count) starts.pop_front();
      }
      at += static_cast<off_t>(size);
    }
    sys::lseek(file_, starts.front());
  }

  // False when the sink has had enough.
  bool deliver_new(bool timestamps, const LineSink& sink) {
    std::array<char, 65536> buffer;
    while (const std::size_t size = sys::read(file_, buffer.data(), buffer.size())) {
      rest_.append(buffer.data(), size);
      for (std::size_t end; (end = rest_.find('\n')) != std::string::npos; rest_.erase(0, end + 1))
        if (!deliver(rest_.substr(0, end), timestamps, sink)) return false;
    }
    return true;
  }

 private:
  Fd file_;
  std::string rest_;
};

}  // namespace

void Engine::logs(const std::string& container, const LogOptions& options, const LineSink& sink) const {
  const Record record = find(container);
  if (record.log_path.empty())
    throw Error::refused("container '" + record.name + "'", "it runs in the foreground: its output went to its caller", "start it with -d to keep a log");
  const plan::Ledger ledger(record.ledger_path);
  LogReader reader(record.log_path);
  if (options.tail) reader.skip_to_last(*options.tail);
  for (;;) {
    // Asked before reading: what is written until the end is read after it.
    const bool ended = ledger.header().phase != plan::wire::Phase::running || !ledger.monitor_lives();
    if (!reader.deliver_new(options.timestamps, sink) || !options.follow || ended) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

namespace {

Fd connect_to(const std::string& path) {
  const Fd directory = sys::open(path.substr(0, path.rfind('/')), O_PATH | O_DIRECTORY);
  const std::string name = "/proc/self/fd/" + std::to_string(directory.get()) + path.substr(path.rfind('/'));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, name.c_str(), name.size() + 1);
  Fd socket(static_cast<int>(raw::call(SYS_socket, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)));
  const long result = raw::call(SYS_connect, socket.get(), &address, sizeof address);
  if (raw::failed(result)) throw Error::from_errno("connect", "\"" + path + "\"", raw::error_of(result));
  return socket;
}

void send_packet(const Fd& socket, char kind, std::string_view data) {
  std::string packet(1, kind);
  packet += data;
  raw::call(SYS_sendto, socket.get(), packet.data(), packet.size(), MSG_NOSIGNAL, nullptr, 0);
}

// The client side of attach: one loop over keyboard, socket and signals.
class AttachClient {
 public:
  AttachClient(Fd socket, bool terminal, const Record& record)
      : socket_(std::move(socket)), signals_(process::forwardable_signals()), terminal_(terminal), record_(record) {}

  // True when the container's side closed, false when the user detached, or nobody reads on here any more.
  bool run() {
    std::optional<process::RawMode> raw_mode;
    if (terminal_ && process::is_terminal(0)) raw_mode.emplace(0);
    send_window();
    while (!detached_) {
      std::array<pollfd, 3> events{{{socket_.get(), POLLIN, 0}, {signals_.get(), POLLIN, 0}, {input_open_ ? 0 : -1, POLLIN, 0}}};
      if (raw::failed(raw::call(SYS_ppoll, events.data(), events.size(), nullptr, nullptr, 0))) continue;
      if (events[0].revents != 0 && !take_output()) return !output_closed_;
      if (events[1].revents != 0) take_signals();
      if (events[2].revents != 0) take_input();
    }
    return false;
  }

 private:
  void send_window() {
    const auto size = process::window_size(0);
    if (!terminal_ || !size) return;
    std::array<char, 4> bytes;
    std::memcpy(bytes.data(), &size->rows, 2);
    std::memcpy(bytes.data() + 2, &size->columns, 2);
    send_packet(socket_, plan::executor::attach_window, {bytes.data(), bytes.size()});
  }

  bool take_output() {
    std::array<char, 8192> packet;
    const long size = raw::call(SYS_recvfrom, socket_.get(), packet.data(), packet.size(), 0, nullptr, nullptr);
    if (size == -EINTR) return true;
    if (size <= 0) return false;
    const int stream = packet[0] == plan::executor::attach_stderr ? 2 : 1;
    const long written = raw::call(SYS_write, stream, packet.data() + 1, size - 1);
    output_closed_ = raw::failed(written) && written != -EINTR && written != -EAGAIN;
    return !output_closed_;
  }

  void take_signals() {
    while (const auto signal = signals_.next()) {
      if (signal->number == SIGWINCH) send_window();
      else if (signal->number == SIGHUP && own_terminal_.gone()) detached_ = true;  // the container has a life of its own
      else if (signal->number != SIGCONT && signal->number != SIGPIPE && sys::start_time(record_.pid) == record_.pid_start)
        sys::pidfd_send_signal(sys::pidfd_open(record_.pid), signal->number);
    }
  }

  void take_input() {
    std::array<char, 4096> typed;
    const long size = raw::call(SYS_read, 0, typed.data(), typed.size());
    if (size == -EINTR || size == -EAGAIN) return;
    if (size <= 0) {
      input_open_ = false;
      send_packet(socket_, plan::executor::attach_input_end, "");
      return;
    }
    const std::string bytes = keys_.feed({typed.data(), static_cast<std::size_t>(size)});
    if (!bytes.empty()) send_packet(socket_, plan::executor::attach_input, bytes);
    detached_ = process::is_terminal(0) && keys_.detached();
  }

  Fd socket_;
  process::SignalFd signals_;
  bool terminal_, input_open_ = true, detached_ = false, output_closed_ = false;
  const process::OwnTerminal own_terminal_;
  const Record& record_;
  process::DetachKeys keys_{process::is_terminal(0) ? "\x10\x11" : ""};  // a pipe may carry any byte
};

}  // namespace

int Engine::attach(const std::string& container) {
  const Record record = find(container);
  if (record.status == Status::frozen) throw frozen(record);
  if (record.status != Status::running) throw Error::refused("container '" + record.name + "'", "it is not running", "see 'drydock ps -a'; 'drydock logs' shows what it wrote");
  const plan::Ledger ledger(record.ledger_path);
  if ((ledger.header().flags & plan::wire::flag_detached) == 0)
    throw Error::refused("container '" + record.name + "'", "it runs in the foreground of its caller", "detach it there with ctrl-p ctrl-q (-it), or start it with -d");
  const std::string path(ledger.text(ledger.header().socket_path));
  const bool ended = AttachClient(connect_to(path), record.spec.terminal, record).run();
  return ended ? wait_undone(ledger) : 0;
}

}  // namespace drydock::container
