// Two fields of /proc/PID/stat, read without a heap: the executor and the library ask for the same ones.
//
// Example: const ProcessStat stat = parse_process_stat(text); if (stat.lives() && stat.start_time == then) …
// Source: proc_pid_stat(5), fields 3 and 22.
#pragma once

#include <cstdint>
#include <string_view>

namespace drydock {

struct ProcessStat {
  char state = 'X';              // letter of field 3; Z is a zombie, X is dead
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
  for (int field = 3; field < 22; ++field) {
    at = text.find(' ', at);
    if (at == std::string_view::npos) return stat;
    ++at;
  }
  stat.state = state;
  for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at)
    stat.start_time = stat.start_time * 10 + static_cast<std::uint64_t>(text[at] - '0');
  return stat;
}

}  // namespace drydock
