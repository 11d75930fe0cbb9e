// Running a seccomp program without the kernel: classic BPF, and what a container's filter answers to a call.
//
// Example: CHECK(decision(compile(policy), "mount") == eperm);
// Source: linux/filter.h, kernel Documentation/networking/filter.rst.
#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>

#include <drydock/security/seccomp_compile.hpp>

#include "support/catch.hpp"

namespace drydock::test {

using security::Architecture;

using Arguments = std::array<std::uint64_t, 6>;

// Classic BPF as the kernel runs it, for the instructions that a seccomp filter uses. 0xdead: the program left its bounds.
inline std::uint32_t run(const std::string& program, std::uint32_t architecture, std::uint32_t number,
                         const Arguments& arguments = {}) {
  seccomp_data data{};
  data.nr = static_cast<int>(number);
  data.arch = architecture;
  std::memcpy(data.args, arguments.data(), sizeof data.args);
  std::uint32_t accumulator = 0;
  for (std::size_t at = 0; (at + 1) * sizeof(sock_filter) <= program.size(); ++at) {
    sock_filter instruction{};
    std::memcpy(&instruction, program.data() + at * sizeof instruction, sizeof instruction);
    switch (instruction.code) {
      case BPF_LD | BPF_W | BPF_ABS:
        if (instruction.k % 4 != 0 || instruction.k + 4 > sizeof data) return 0xdead;
        std::memcpy(&accumulator, reinterpret_cast<const char*>(&data) + instruction.k, 4);
        break;
      case BPF_ALU | BPF_AND | BPF_K:
        accumulator &= instruction.k;
        break;
      case BPF_JMP | BPF_JA:
        at += instruction.k;
        break;
      case BPF_JMP | BPF_JEQ | BPF_K:
        at += accumulator == instruction.k ? instruction.jt : instruction.jf;
        break;
      case BPF_JMP | BPF_JGE | BPF_K:
        at += accumulator >= instruction.k ? instruction.jt : instruction.jf;
        break;
      case BPF_JMP | BPF_JGT | BPF_K:
        at += accumulator > instruction.k ? instruction.jt : instruction.jf;
        break;
      case BPF_RET | BPF_K:
        return instruction.k;
      default:
        return 0xdead;
    }
  }
  return 0xdead;
}

inline const std::uint32_t native = security::audit_architecture(Architecture::native);
inline const std::uint32_t second = security::audit_architecture(Architecture::second);
inline constexpr std::uint32_t allowed = SECCOMP_RET_ALLOW;
inline constexpr std::uint32_t eperm = SECCOMP_RET_ERRNO | EPERM;
inline constexpr std::uint32_t enosys = SECCOMP_RET_ERRNO | ENOSYS;

inline std::uint32_t decision(const std::string& program, std::string_view call, const Arguments& arguments = {}) {
  const auto number = security::call_number(call, Architecture::native);
  REQUIRE(number.has_value());
  return run(program, native, static_cast<std::uint32_t>(*number), arguments);
}

}  // namespace drydock::test
