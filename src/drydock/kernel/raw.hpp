// The system call itself: one function that enters the kernel and returns what the kernel returned.
//
// Nothing here allocates, throws, or touches the C library's `errno`, so it may run in a process
// that was cloned from a program with a hundred threads. Everything above it is named after the
// call it makes (see sys.hpp for the throwing face, plan/ for the face that is data).
//
// Example: long fd = raw::call(SYS_openat, AT_FDCWD, "/proc/self/status", O_RDONLY | O_CLOEXEC);
//          if (raw::failed(fd)) report(raw::error_of(fd));
// Source: syscall(2); the error range -4095..-1 is the kernel's convention on every architecture.
#pragma once

#include <cstdint>
#include <type_traits>

namespace drydock::raw {

namespace detail {
// Six registers in, one out: the calling convention of syscall(2), "Architecture calling conventions".
inline long enter(long number, long a, long b, long c, long d, long e, long f) noexcept {
#if defined(__x86_64__)
  register long r10 asm("r10") = d;
  register long r8 asm("r8") = e;
  register long r9 asm("r9") = f;
  long result;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
               : "rcx", "r11", "memory");
  return result;
#elif defined(__aarch64__)
  register long x8 asm("x8") = number;
  register long x0 asm("x0") = a;
  register long x1 asm("x1") = b;
  register long x2 asm("x2") = c;
  register long x3 asm("x3") = d;
  register long x4 asm("x4") = e;
  register long x5 asm("x5") = f;
  asm volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
  return x0;
#else
#error "drydock knows the system call convention of x86-64 and arm64 only"
#endif
}

template <typename T>
long word(T value) noexcept {
  if constexpr (std::is_pointer_v<T>)
    return reinterpret_cast<long>(value);
  else if constexpr (std::is_null_pointer_v<T>)
    return 0;
  else
    return static_cast<long>(value);
}
}  // namespace detail

// Enters the kernel. Returns the result, or -errno. Never restarted on EINTR: the caller knows whether it may.
template <typename... Args>
long call(long number, Args... args) noexcept {
  static_assert(sizeof...(Args) <= 6, "a system call takes at most six arguments");
  long words[6] = {detail::word(args)...};
  return detail::enter(number, words[0], words[1], words[2], words[3], words[4], words[5]);
}

// True for a result in the kernel's error range.
inline bool failed(long result) noexcept {
  return static_cast<unsigned long>(result) > -4096UL;
}

// The errno of a failed result, 0 otherwise.
inline int error_of(long result) noexcept {
  return failed(result) ? static_cast<int>(-result) : 0;
}

}  // namespace drydock::raw
