#include <drydock/process/wait.hpp>

#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>

#include <drydock/kernel/error.hpp>
#include <drydock/kernel/raw.hpp>
#include <drydock/kernel/sys.hpp>

namespace drydock::process {

bool wait_readable(int fd, int timeout_ms) {
  const std::uint64_t start = sys::monotonic_ns();
  const std::uint64_t limit = static_cast<std::uint64_t>(std::max(timeout_ms, 0)) * 1'000'000u;
  for (;;) {
    const std::uint64_t passed = std::min(sys::monotonic_ns() - start, limit);
    const std::uint64_t left = limit - passed;
    const timespec time{static_cast<time_t>(left / 1'000'000'000u), static_cast<long>(left % 1'000'000'000u)};
    timespec kernels_copy = time;  // Linux writes the rest into it
    pollfd entry{fd, POLLIN, 0};
    const long result = raw::call(SYS_ppoll, &entry, 1, timeout_ms < 0 ? nullptr : &kernels_copy, nullptr, 0);
    if (raw::error_of(result) == EINTR) continue;
    if (raw::failed(result)) throw Error::from_errno("ppoll", "fd " + std::to_string(fd), raw::error_of(result));
    if (result > 0 && (entry.revents & POLLNVAL) != 0) throw Error::from_errno("ppoll", "fd " + std::to_string(fd), EBADF);
    return result > 0;
  }
}

std::optional<ExitStatus> wait_child(const Fd& pidfd, int timeout_ms) {
  if (!wait_readable(pidfd.get(), timeout_ms)) return std::nullopt;
  siginfo_t info = {};
  long result;
  do result = raw::call(SYS_waitid, P_PIDFD, pidfd.get(), &info, WEXITED, nullptr);
  while (raw::error_of(result) == EINTR);
  if (raw::failed(result)) throw Error::from_errno("waitid", "P_PIDFD, WEXITED", raw::error_of(result));
  return ExitStatus::from_siginfo(info);
}

bool wait_ended(const Fd& pidfd, int timeout_ms) {
  return wait_readable(pidfd.get(), timeout_ms);
}

}  // namespace drydock::process
