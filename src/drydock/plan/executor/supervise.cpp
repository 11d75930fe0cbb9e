#include <drydock/plan/executor/supervise.hpp>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <drydock/kernel/raw.hpp>
#include <drydock/plan/executor/output.hpp>
#include <drydock/plan/executor/packets.hpp>
#include <drydock/plan/executor/text.hpp>

namespace drydock::plan::executor {

namespace {

class Supervisor {
 public:
  Supervisor(Context& context, int signal_fd) : context_(context), header_(*context.header), signal_fd_(signal_fd) {}
  void run();

 private:
  int slot(std::uint16_t index) const { return index == wire::no_slot ? -1 : static_cast<int>(context_.slots[index]); }
  bool detached() const { return (header_.flags & wire::flag_detached) != 0; }
  void kill_payload(int number) const { raw::call(SYS_pidfd_send_signal, pidfd_, number, nullptr, 0); }
  void watch(int fd, void (Supervisor::*handler)(int), int argument = 0);
  void reap();
  void on_signal(int);
  void on_caller(int);
  void on_stream(int stream);
  void on_listener(int) { output_.accept(); }
  void on_client(int index);
  bool drain(int fd, int stream);
  void caller_gone();
  void read_oom();
  void take_output();

  struct Handler {
    void (Supervisor::*call)(int);
    int argument;
  };

  Context& context_;
  wire::Header& header_;
  int signal_fd_, pidfd_ = -1;
  bool ended_ = false;
  int streams_[3] = {-1, -1, -1};  // by stream number; a terminal is stream 1
  Output output_;
  pollfd events_[32];
  Handler handlers_[32];
  int count_ = 0;
};

void Supervisor::watch(int fd, void (Supervisor::*handler)(int), int argument) {
  if (fd < 0 || count_ == 32) return;
  events_[count_] = {fd, POLLIN, 0};
  handlers_[count_++] = {handler, argument};
}

// pid 1 of the container is our child; so are the joiner, and orphans, since we are a subreaper.
void Supervisor::reap() {
  for (;;) {
    int status = 0;
    const long pid = raw::call(SYS_wait4, -1, &status, WNOHANG | __WALL, nullptr);
    if (pid == -EINTR) continue;
    if (pid <= 0) break;
    if (pid != header_.payload_pid) continue;
    ended_ = true;
    header_.exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    header_.exit_mono_ns = monotonic_ns();
  }
}

void Supervisor::on_signal(int) {
  signalfd_siginfo info[8];
  const long size = raw::call(SYS_read, signal_fd_, info, sizeof info);
  for (long at = 0; at * static_cast<long>(sizeof info[0]) < size; ++at) {
    const int number = static_cast<int>(info[at].ssi_signo);
    if (number == SIGTERM || number == SIGINT || number == SIGHUP || number == SIGQUIT) kill_payload(number);
  }
  reap();
}

void Supervisor::caller_gone() {
  raw::call(SYS_close, context_.control);
  context_.control = -1;
  if (detached()) return;
  // Foreground: nobody is left to be told anything. The program goes, and everything with it.
  header_.cancelled = 1;
  header_.flags |= wire::flag_remove;
  kill_payload(SIGKILL);
}

// Without a caller, the program's output is ours to read: for the log and for those who attach.
void Supervisor::take_output() {
  output_.open(context_.text(header_.log_path), context_.text(header_.socket_path));
  streams_[1] = slot(header_.terminal_slot) >= 0 ? slot(header_.terminal_slot) : slot(header_.stdout_slot);
  streams_[2] = slot(header_.stderr_slot);
  for (const int stream : streams_)
    if (stream >= 0) raw::call(SYS_fcntl, stream, F_SETFL, O_RDWR | O_NONBLOCK);
}

void Supervisor::on_caller(int) {
  wire::Packet packet;
  const long size = receive_packet(context_.control, packet, false);
  if (size == -EAGAIN) return;
  if (size <= 0) return caller_gone();
  if (packet.word == wire::Word::signal) kill_payload(packet.value);
  if (packet.word == wire::Word::detach) {
    header_.flags |= wire::flag_detached;
    let_go_of_stdio();
    take_output();
  }
}

// Reads what is there. False at the end of the stream.
bool Supervisor::drain(int fd, int stream) {
  char buffer[16384];
  for (int rounds = 0; rounds < 64; ++rounds) {
    const long size = raw::call(SYS_read, fd, buffer, sizeof buffer);
    if (size == -EINTR) continue;
    if (size == -EAGAIN) return true;
    if (size <= 0) return false;  // EIO: the last process closed the terminal
    output_.write(stream, buffer, static_cast<std::size_t>(size));
    if (!ended_ && rounds == 7) return true;  // let the other descriptors have their turn
  }
  return true;
}

void Supervisor::on_stream(int stream) {
  if (drain(streams_[stream], stream)) return;
  // A terminal has no end while another process may open it again; a pipe has.
  if (slot(header_.terminal_slot) != streams_[stream]) raw::call(SYS_close, streams_[stream]);
  streams_[stream] = -1;
}

void Supervisor::on_client(int index) {
  char packet[8193];
  const long size = raw::call(SYS_recvfrom, output_.client(index), packet, sizeof packet, MSG_DONTWAIT, nullptr, nullptr);
  if (size == -EAGAIN || size == -EINTR) return;
  if (size <= 0) return output_.drop(index);
  const int terminal = slot(header_.terminal_slot), input = terminal >= 0 ? terminal : slot(header_.stdin_slot);
  if (packet[0] == attach_input && input >= 0) {
    raw::call(SYS_write, input, packet + 1, size - 1);
  } else if (packet[0] == attach_input_end && terminal < 0 && input >= 0) {
    raw::call(SYS_close, input);
    context_.slots[header_.stdin_slot] = -1;
  } else if (packet[0] == attach_window && terminal >= 0 && size == 1 + 2 * static_cast<long>(sizeof(unsigned short))) {
    winsize window{};
    memcpy(&window.ws_row, packet + 1, sizeof window.ws_row);
    memcpy(&window.ws_col, packet + 1 + sizeof window.ws_row, sizeof window.ws_col);
    raw::call(SYS_ioctl, terminal, TIOCSWINSZ, &window);
  }
}

void Supervisor::read_oom() {
  if (header_.oom_path.length == 0) return;
  char buffer[2048];
  if (read_small_file(context_.text(header_.oom_path), buffer, sizeof buffer) <= 0) return;
  header_.out_of_memory = line_value(buffer, context_.text(header_.oom_key)) > 0 ? 1 : 0;
}

void Supervisor::run() {
  pidfd_ = slot(static_cast<std::uint16_t>(header_.payload_slot + 1));
  if (detached()) take_output();
  reap();
  while (!ended_) {
    count_ = 0;
    watch(signal_fd_, &Supervisor::on_signal);
    watch(context_.control, &Supervisor::on_caller);
    watch(streams_[1], &Supervisor::on_stream, 1);
    watch(streams_[2], &Supervisor::on_stream, 2);
    watch(output_.listener(), &Supervisor::on_listener);
    for (int index = 0; index < output_.client_count(); ++index) watch(output_.client(index), &Supervisor::on_client, index);
    const long ready = raw::call(SYS_ppoll, events_, count_, nullptr, nullptr, 0);
    if (raw::failed(ready)) continue;
    // Backwards: dropping client i moves the last one into its place.
    for (int index = count_ - 1; index >= 0; --index)
      if (events_[index].revents != 0) (this->*handlers_[index].call)(handlers_[index].argument);
  }
  for (int stream = 1; stream <= 2; ++stream)
    if (streams_[stream] >= 0) drain(streams_[stream], stream);
  read_oom();
  output_.close();
}

}  // namespace

void let_go_of_stdio() {
  const long null = raw::call(SYS_openat, AT_FDCWD, "/dev/null", O_RDWR | O_CLOEXEC);
  for (int fd = 0; fd < 3; ++fd) raw::call(SYS_dup3, null, fd, 0);
  raw::call(SYS_close, null);
}

void supervise(Context& context, int signal_fd) {
  Supervisor(context, signal_fd).run();
}

}  // namespace drydock::plan::executor
