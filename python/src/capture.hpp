// What a program prints, kept in memory while nobody asks for it: a thread reads both pipes, so the program never has to wait.
//
// The thread makes no call into Python and takes no signals: those are for the interpreter's main thread.
//
// Example: Capture capture(1 << 20); start(..., {.output = capture.writer(1), .error = capture.writer(2)}); capture.begin();
// Source: pipe(7), poll(2).
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

#include <drydock/kernel/fd.hpp>

namespace drydock::python {

class Capture {
 public:
  // Of each stream the first `limit` bytes are kept; what follows is read and counted.
  explicit Capture(std::size_t limit);
  ~Capture();
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;

  int writer(int stream) const { return pipe_of(stream).write.get(); }
  // When the program has the write ends.
  void begin();
  // Everything that was written is read; what a process that lives on writes later is not waited for longer than `patience_ms`.
  void finish(int patience_ms);

  // From `offset` on.
  std::string text(int stream, std::size_t offset) const;
  std::uint64_t left_out(int stream) const;
  // In a child of fork: the descriptors go, the thread was never there.
  void abandon();

 private:
  struct Pipe {
    Fd read, write;
    std::string text;
    std::uint64_t left_out = 0;
  };
  const Pipe& pipe_of(int stream) const { return pipes_.at(static_cast<std::size_t>(stream - 1)); }
  void read_all();
  bool take(Pipe& pipe);

  std::size_t limit_;
  std::array<Pipe, 2> pipes_;
  Fd stop_read_, stop_write_;
  mutable std::mutex mutex_;
  std::thread thread_;
};

}  // namespace drydock::python
