// Output of a detached container: to its log, and to everybody who is attached.
//
// The log has one JSON object per line, {"log":"...","stream":"stdout","time":"..."}, the shape of Docker's json-file driver.
// Attached clients speak SEQPACKET: the first byte of a packet says what it is.
// Source: docker-logs(1); RFC 3339 for the time, RFC 8259 for the escapes.
#pragma once

#include <cstddef>
#include <cstdint>

namespace drydock::plan::executor {

// First bytes of attach packets.
inline constexpr char attach_stdout = 'o', attach_stderr = 'e', attach_input = 'i', attach_input_end = 'z', attach_window = 'w';

class Output {
 public:
  // Empty paths: no log, nobody can attach.
  long open(const char* log_path, const char* socket_path);
  // What the program wrote on stream 1 or 2.
  void write(int stream, const char* data, std::size_t size);
  int listener() const { return listener_; }
  void accept();
  int client_count() const { return count_; }
  int client(int index) const { return clients_[index]; }
  void drop(int index);
  // Flushes an unfinished line, closes everything.
  void close();

 private:
  struct Pending {
    char text[4096];
    std::size_t size = 0;
  };
  void log_line(int stream);
  long listen_at(const char* path);

  static constexpr int capacity_ = 16;
  int log_ = -1, listener_ = -1, count_ = 0;
  int clients_[capacity_] = {};
  Pending pending_[2];
};

}  // namespace drydock::plan::executor
