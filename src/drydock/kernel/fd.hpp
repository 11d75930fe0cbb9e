// File descriptors that close themselves. No naked `int` owns a descriptor anywhere above kernel/.
//
// Example: Fd root{sys::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC)};
// Source: close(2): on Linux a close that reports EINTR has closed the descriptor, so it is never retried.
#pragma once

#include <utility>

namespace drydock {

class Fd {
 public:
  Fd() = default;
  // Takes ownership of `number` (-1 means empty).
  explicit Fd(int number) noexcept : number_(number) {}
  Fd(Fd&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) {
      reset();
      number_ = std::exchange(other.number_, -1);
    }
    return *this;
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() { reset(); }

  int get() const noexcept { return number_; }
  explicit operator bool() const noexcept { return number_ >= 0; }
  // Gives ownership away.
  [[nodiscard]] int release() noexcept { return std::exchange(number_, -1); }
  // Closes now. Errors of close(2) are not reported: the descriptor is gone either way.
  void reset() noexcept;

 private:
  int number_ = -1;
};

}  // namespace drydock
