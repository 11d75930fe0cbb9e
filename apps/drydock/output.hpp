// What the command line says: results on standard output, everything else on standard error, always beginning with "drydock: ".
//
// Example: say_warning("this machine has no swap; --memory-swap has no effect");
//          Table table({"NAME", "STATUS"}); table.add({"web", "Up 5 seconds"}); print(table.text());
// Source: docker-run(1), "Exit Status", for the codes 125 to 127.
#pragma once

#include <cstdint>
#include <exception>
#include <string>
#include <vector>

namespace drydock::cli {

void print(const std::string& text);
// "drydock: TEXT" on standard error.
void say(const std::string& text);
void say_warning(const std::string& text);
// Flushes standard output. Error when it could not be written (a full disk): results must not vanish silently.
void finish_output();

// One sentence for any exception, with its remedy where there is one.
std::string sentence(std::exception_ptr failure);
// The exit code of a failed run or exec: 127 program not found, 126 not executable, else 125.
int run_exit_code(std::exception_ptr failure);

// Columns as wide as their widest cell.
class Table {
 public:
  explicit Table(std::vector<std::string> head) : rows_{std::move(head)} {}
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  std::string text() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

// "5 seconds", "2 hours", "3 weeks": one unit, rounded down.
std::string duration_words(std::uint64_t seconds);
// Shortened to `width` with "…" as the last character; control characters become '?'.
std::string shortened(const std::string& text, std::size_t width);

}  // namespace drydock::cli
