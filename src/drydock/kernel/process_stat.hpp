// Three fields of /proc/PID/stat, read without a heap: the executor and the library ask for the same ones.
//
// Example: const ProcessStat stat = parse_process_stat(text); if (stat.lives() && stat.start_time == then) …
// Source: proc_pid_stat(5), fields 3, 9 (PF_EXITING of linux/sched.h) and 22.
#pragma once

#include <cstdint>
#include <string_view>

namespace drydock {

struct ProcessStat {
  char state = 'X';              // letter of field 3; Z is a zombie, X is dead
  bool exiting = false;          // it lets go of what it holds, and runs no more of its own code
  std::uint64_t start_time = 0;  // clock ticks since boot

  // A zombie has ended: it holds nothing but its status, and its parent may take forever to ask for that.
  constexpr bool lives() const { return state != 'Z' && state != 'X'; }
};

// A text that is cut off or empty gives a process that does not live.
constexpr ProcessStat parse_process_stat(std::string_view text) noexcept {
  ProcessStat stat;
  // The name in field 2 may hold spaces and parentheses: count fields after the last ')'.
  const std::size_t close = text.rfind(')');
  if (close == std::string_view::npos || close + 2 >= text.size()) return stat;
  std::size_t at = close + 2;
  const char state = text[at];
  const auto number = [&] {
    std::uint64_t value = 0;
    for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at) value = value * 10 + static_cast<std::uint64_t>(text[at] - '0');
    return value;
  };
  bool exiting = false;
  for (int field = 3; field < 22; ++field) {
    if (field == 9) exiting = (number() & 0x4) != 0;
    at = text.find(' ', at);
    if (at == std::string_view::npos) return stat;
    ++at;
  }
  stat.state = state;
  stat.exiting = exiting;
  stat.start_time = number();
  return stat;
}

}  // namespace drydock
