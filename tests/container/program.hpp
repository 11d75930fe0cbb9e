// A command that runs beside a test: started, watched, waited for, and never left behind.
//
// Example: const Result result = Program({"/bin/echo", "hi"}, {}, {"PATH=/bin"}).wait(); CHECK(result.out == "hi\n");
// Source: pidfd_open(2), memfd_create(2), waitid(2).
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <drydock/kernel/fd.hpp>

namespace drydock::test {

using Words = std::vector<std::string>;

// How a command is started; the defaults are a plain call with nothing on standard input.
struct How {
  std::string input;                   // written to its standard input, which then ends
  std::optional<unsigned> user;        // uid and gid to become before exec
  std::vector<std::string> environment;  // NAME=VALUE, over the Host's own
  std::string directory;               // working directory
  int timeout_ms = 60'000;             // times slowness(); SIGKILL after that: the result then says 137 and timed_out
};

struct Result {
  int code = -1;  // as a shell shows it: 128+n for signal n
  std::string out, err;
  double seconds = 0;
  bool timed_out = false;

  // Everything the user sees, for INFO.
  std::string seen() const { return "exit " + std::to_string(code) + "\n" + out + err; }
};

// A command that runs beside the test; killed and waited for at the end of its scope.
class Program {
 public:
  Program(const Words& argv, const How& how, const Words& environment);
  Program(Program&& other) noexcept;
  Program(const Program&) = delete;
  ~Program();

  pid_t pid() const { return pid_; }
  bool runs();
  void signal(int number) const;
  // Waits for its end, `timeout_ms` (on a fast machine: support/patience.hpp) at most, then kills it.
  Result wait(int timeout_ms = 60'000);
  std::string out() const;
  std::string err() const;

 private:
  pid_t pid_ = -1;
  Fd out_, err_;
  std::chrono::steady_clock::time_point begin_;
};

// Looks every few milliseconds until it is true; longer on a slow machine (support/patience.hpp).
bool eventually(const std::function<bool()>& condition, int timeout_ms = 5000);

}  // namespace drydock::test
