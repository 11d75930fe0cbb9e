#include "output.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <iterator>
#include <new>

#include <drydock/kernel/error.hpp>
#include <drydock/process/exit_status.hpp>

namespace drydock::cli {

void print(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
}

void say(const std::string& text) {
  const std::string line = "drydock: " + text + "\n";
  std::fwrite(line.data(), 1, line.size(), stderr);
}

void say_warning(const std::string& text) {
  say("warning: " + text);
}

void finish_output() {
  const bool failed = std::fflush(stdout) != 0 || std::ferror(stdout) != 0;
  if (failed) throw Error::refused("standard output", "the result could not be written", "is the disk full, or the reader gone?");
}

std::string sentence(std::exception_ptr failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const Error& error) {
    return error.what();
  } catch (const std::bad_alloc&) {
    return "there is not enough memory; end some programs, or raise the memory limit of this shell ('ulimit -v', its cgroup)";
  } catch (const std::exception& error) {
    return std::string("a mistake of drydock itself: ") + error.what() + "; please report it with the command that was typed";
  } catch (...) {
    return "a mistake of drydock itself; please report it with the command that was typed";
  }
}

int run_exit_code(std::exception_ptr failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const Error& error) {
    const bool program = error.call().starts_with("exec");
    if (program && (error.code() == ENOENT || error.code() == ENOTDIR)) return process::exit_not_found;
    if (program && error.code() != 0) return process::exit_not_executable;
  } catch (...) {
  }
  return process::exit_runtime_failed;
}

std::string Table::text() const {
  std::vector<std::size_t> widths;
  const auto columns = [](const std::string& cell) {  // of UTF-8: bytes that do not continue a character
    return static_cast<std::size_t>(std::count_if(cell.begin(), cell.end(), [](char c) { return (c & 0xc0) != 0x80; }));
  };
  for (const auto& row : rows_) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t at = 0; at < row.size(); ++at) widths[at] = std::max(widths[at], columns(row[at]));
  }
  std::string page;
  for (const auto& row : rows_) {
    for (std::size_t at = 0; at < row.size(); ++at) {
      page += row[at];
      if (at + 1 < row.size()) page.append(widths[at] - columns(row[at]) + 3, ' ');
    }
    page += '\n';
  }
  return page;
}

std::string duration_words(std::uint64_t seconds) {
  static constexpr struct {
    std::uint64_t seconds;
    const char* name;
  } units[] = {{365 * 86400, "year"}, {30 * 86400, "month"}, {7 * 86400, "week"}, {86400, "day"}, {3600, "hour"}, {60, "minute"}};
  for (const auto& unit : units)
    if (const std::uint64_t count = seconds / unit.seconds; count > 0)
      return std::to_string(count) + " " + unit.name + (count == 1 ? "" : "s");
  return std::to_string(seconds) + (seconds == 1 ? " second" : " seconds");
}

std::string shortened(const std::string& text, std::size_t width) {
  std::string result = text;
  if (result.size() > width) {
    std::size_t end = width - 1;
    while (end > 0 && (result[end] & 0xc0) == 0x80) --end;  // not inside a character
    result = result.substr(0, end) + "…";
  }
  for (char& c : result)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  return result;
}

}  // namespace drydock::cli
