#include <drydock/process/signals.hpp>

#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <time.h>

#include <algorithm>

#include <drydock/kernel/error.hpp>
#include <drydock/kernel/raw.hpp>

namespace drydock::process {

namespace {

// The kernel's set is 64 bits; the C library's is longer and begins with the same bits.
constexpr std::size_t kernel_set_size = 8;

bool ignored(int signal) {
  struct sigaction action = {};
  return ::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

}  // namespace

SignalFd::SignalFd(const std::vector<int>& signals) {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int signal : signals) ::sigaddset(&set, signal);
  const long fd = raw::call(SYS_signalfd4, -1, &set, kernel_set_size, SFD_CLOEXEC | SFD_NONBLOCK);
  if (raw::failed(fd)) throw Error::from_errno("signalfd4", "-1, SFD_CLOEXEC|SFD_NONBLOCK", raw::error_of(fd));
  fd_ = Fd(static_cast<int>(fd));
  ::pthread_sigmask(SIG_BLOCK, &set, &before_);
  discard_pipe_ = ::sigismember(&set, SIGPIPE) == 1 && ::sigismember(&before_, SIGPIPE) == 0;
}

SignalFd::~SignalFd() {
  if (discard_pipe_) {
    sigset_t pipe;
    ::sigemptyset(&pipe);
    ::sigaddset(&pipe, SIGPIPE);
    const timespec now = {};
    while (raw::call(SYS_rt_sigtimedwait, &pipe, nullptr, &now, kernel_set_size) == SIGPIPE) continue;
  }
  ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

std::optional<SignalInfo> SignalFd::next() const {
  signalfd_siginfo info = {};
  const long count = raw::call(SYS_read, fd_.get(), &info, sizeof info);
  if (count != static_cast<long>(sizeof info)) return std::nullopt;  // EAGAIN: none waits
  return SignalInfo{static_cast<int>(info.ssi_signo), static_cast<pid_t>(info.ssi_pid)};
}

std::vector<int> forwardable_signals() {
  std::vector<int> signals{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGALRM};
  for (int signal = SIGRTMIN; signal <= SIGRTMAX; ++signal) signals.push_back(signal);
  std::erase_if(signals, ignored);
  for (const int signal : {SIGWINCH, SIGCONT, SIGPIPE}) signals.push_back(signal);
  return signals;
}

bool is_termination(int signal) {
  return signal == SIGINT || signal == SIGTERM || signal == SIGQUIT || signal == SIGHUP;
}

}  // namespace drydock::process
