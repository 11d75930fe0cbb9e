#include <drydock/process/pump.hpp>

#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>

#include <drydock/kernel/error.hpp>
#include <drydock/kernel/raw.hpp>

namespace drydock::process {

namespace {

constexpr std::size_t input_limit = 4096;  // the line buffer of a terminal
constexpr std::size_t output_limit = 65536;
// A poll that finds a pipe writable promises room for this many bytes (pipe(7)), so the write cannot block the loop.
constexpr std::size_t write_at_once = 4096;
constexpr int reopen_ms = 200;

// A terminal that the user has stopped (ctrl-s) would block the loop in write(2). O_NONBLOCK on the descriptor we were given
// would change it for the shell too, so the terminal is opened once more; where that is refused, we write as we may.
Fd reopened(int output) {
  if (output < 0 || !is_terminal(output)) return {};
  const std::string path = "/proc/self/fd/" + std::to_string(output);
  const long fd = raw::call(SYS_openat, AT_FDCWD, path.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  return Fd(raw::failed(fd) ? -1 : static_cast<int>(fd));
}

class Loop {
 public:
  explicit Loop(const Pump& job)
      : job_(job), keys_(is_terminal(job.input) ? job.detach_keys : ""), own_output_(reopened(job.output)) {
    output_ = own_output_ ? own_output_.get() : job.output;
    input_open_ = job.input >= 0 && job.master >= 0;
    master_open_ = job.master >= 0;
    if (job.master < 0) return;
    const long flags = raw::call(SYS_fcntl, job.master, F_GETFL);
    if (!raw::failed(flags)) raw::call(SYS_fcntl, job.master, F_SETFL, flags | O_NONBLOCK);
    copy_size();
  }

  PumpEnd run() {
    while (!end_) step();
    return *end_;
  }

 private:
  enum { at_input, at_output, at_master, at_control, at_signals, places };

  void step() {
    std::array<pollfd, places> entries = wanted();
    wait(entries);
    if (finishing_) drain();
    if (entries[at_signals].revents != 0) take_signals();
    if (entries[at_control].revents != 0 && job_.on_control()) {
      finishing_ = true;
      master_open_ = job_.master >= 0;
    }
    if ((entries[at_master].revents & (POLLIN | POLLHUP | POLLERR)) != 0) read_master();
    if ((entries[at_master].revents & POLLOUT) != 0) write_master();
    if (entries[at_input].revents != 0) read_input();
    if (entries[at_output].revents != 0) write_output();
  }

  // A descriptor that nothing is wanted of is left out altogether: poll reports POLLHUP unasked, and would spin.
  std::array<pollfd, places> wanted() const {
    std::array<pollfd, places> entries;
    entries.fill({-1, 0, 0});
    const auto ask = [&](int place, int fd, bool in, bool out) {
      const int events = (in ? POLLIN : 0) | (out ? POLLOUT : 0);
      if (events != 0) entries[static_cast<std::size_t>(place)] = {fd, static_cast<short>(events), 0};
    };
    ask(at_input, job_.input, input_open_ && !finishing_ && to_master_.size() < input_limit, false);
    ask(at_output, output_, false, !to_output_.empty());
    ask(at_master, job_.master, master_open_ && to_output_.size() < output_limit, master_open_ && !to_master_.empty());
    ask(at_control, job_.control, !finishing_, false);
    if (job_.signals != nullptr) ask(at_signals, job_.signals->get(), true, false);
    return entries;
  }

  void wait(std::array<pollfd, places>& entries) {
    // Closed on the container's side only for now: an init may open its console again. Looked at a few times a second.
    const bool look_again = job_.master >= 0 && !master_open_ && !finishing_;
    timespec time{0, finishing_ && to_output_.empty() ? 0 : reopen_ms * 1'000'000L};
    const bool limited = look_again || finishing_;
    const long result = raw::call(SYS_ppoll, entries.data(), entries.size(), limited ? &time : nullptr, nullptr, 0);
    if (raw::failed(result) && raw::error_of(result) != EINTR)
      throw Error::from_errno("ppoll", "terminal, pty and control socket", raw::error_of(result));
    if (raw::failed(result))
      for (pollfd& entry : entries) entry.revents = 0;
    if (look_again) master_open_ = true;
  }

  // The control socket has spoken: what the pty still holds is the program's last words.
  void drain() {
    if (to_output_.size() < output_limit) read_master();
    if ((!master_open_ || drained_) && to_output_.empty()) end_ = hung_up_ ? PumpEnd::hung_up : PumpEnd::finished;
  }

  void read_master() {
    if (!master_open_) return;
    std::array<char, 16384> buffer;
    const long count = raw::call(SYS_read, job_.master, buffer.data(), buffer.size());
    if (count == -EAGAIN || count == -EINTR) {
      drained_ = finishing_ && count == -EAGAIN;
    } else if (count == 0 || raw::failed(count)) {  // EIO: every descriptor of the container's side is closed
      master_open_ = false;
      if (job_.control < 0) finishing_ = hung_up_ = true;
    } else if (job_.output >= 0) {
      to_output_.append(buffer.data(), static_cast<std::size_t>(count));
    }
  }

  void write_master() {
    const long count = raw::call(SYS_write, job_.master, to_master_.data(), to_master_.size());
    if (count == -EAGAIN || count == -EINTR) return;
    if (raw::failed(count))
      to_master_.clear();  // nobody there to read it
    else
      to_master_.erase(0, static_cast<std::size_t>(count));
  }

  void read_input() {
    std::array<char, 1024> buffer;
    const long count = raw::call(SYS_read, job_.input, buffer.data(), buffer.size());
    if (count == -EAGAIN || count == -EINTR) return;
    if (count == 0 || raw::failed(count)) {  // failed: EIO of a terminal that is gone
      input_open_ = false;
      to_master_ += end_of_input(last_typed_);
      return;
    }
    const std::string typed = keys_.feed({buffer.data(), static_cast<std::size_t>(count)});
    if (!typed.empty()) last_typed_ = typed.back();
    to_master_ += typed;
    if (!keys_.detached()) return;
    if (!to_master_.empty()) write_master();
    end_ = PumpEnd::detached;
  }

  void write_output() {
    const std::size_t size = std::min(to_output_.size(), write_at_once);
    const long count = raw::call(SYS_write, output_, to_output_.data(), size);
    if (count == -EAGAIN || count == -EINTR) return;
    if (count == -EIO && own_terminal_.gone()) return terminal_gone();  // the signal is still on its way
    if (raw::failed(count)) {
      end_ = PumpEnd::output_closed;
      return;
    }
    to_output_.erase(0, static_cast<std::size_t>(count));
  }

  void take_signals() {
    while (const auto signal = job_.signals->next()) {
      if (signal->number == SIGPIPE) continue;
      if (signal->number == SIGCONT && job_.raw != nullptr) job_.raw->again();
      if (signal->number == SIGWINCH || signal->number == SIGCONT) {
        copy_size();
        continue;
      }
      if (signal->number == SIGHUP && own_terminal_.gone()) {
        terminal_gone();
        continue;
      }
      if (job_.on_signal) job_.on_signal(signal->number);
      if (is_termination(signal->number) && ++asked_to_end_ == job_.give_up_after) end_ = PumpEnd::forced;
    }
  }

  void terminal_gone() {
    if (job_.on_signal) job_.on_signal(SIGHUP);
    end_ = PumpEnd::terminal_gone;
  }

  void copy_size() {
    if (job_.master < 0) return;
    auto size = window_size(job_.input);
    if (!size) size = window_size(job_.output);
    if (size && size->rows != 0 && size->columns != 0) set_window_size(job_.master, *size);
  }

  const Pump& job_;
  const OwnTerminal own_terminal_;
  DetachKeys keys_;
  Fd own_output_;
  int output_ = -1;
  std::string to_master_, to_output_;
  char last_typed_ = '\n';
  bool input_open_ = false, master_open_ = false;
  bool finishing_ = false, drained_ = false, hung_up_ = false;
  int asked_to_end_ = 0;
  std::optional<PumpEnd> end_;
};

}  // namespace

PumpEnd pump(const Pump& job) {
  return Loop(job).run();
}

std::string DetachKeys::feed(std::string_view typed) {
  std::string passed;
  for (const char key : typed) {
    if (keys_.empty()) {
      passed += key;
      continue;
    }
    if (key != keys_[matched_] && matched_ > 0) {
      passed.append(keys_, 0, matched_);  // it was not the sequence: what was held back goes first
      matched_ = 0;
    }
    if (key != keys_[matched_])
      passed += key;
    else if (++matched_ == keys_.size())
      break;
  }
  return passed;
}

std::string_view end_of_input(char last) {
  return last == '\n' || last == '\r' ? std::string_view("\x04") : std::string_view("\x04\x04");
}

}  // namespace drydock::process
