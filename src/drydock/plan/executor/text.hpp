// Text without a heap: the executor's lines, numbers and small files.
//
// Example: char path[64]; Line(path, sizeof path).put("/proc/").put_number(pid).put("/uid_map");
#pragma once

#include <cstddef>
#include <cstdint>

namespace drydock::plan::executor {

// Appends to a fixed buffer, always NUL terminated; what does not fit is cut off and `overflowed` says so.
class Line {
 public:
  Line(char* buffer, std::size_t capacity) : buffer_(buffer), capacity_(capacity) { buffer_[0] = '\0'; }
  Line& put(const char* text);
  Line& put(const char* text, std::size_t length);
  Line& put_number(long value, int width = 0);
  std::size_t size() const { return size_; }
  bool overflowed() const { return overflowed_; }
  const char* c_str() const { return buffer_; }

 private:
  char* buffer_;
  std::size_t capacity_, size_ = 0;
  bool overflowed_ = false;
};

std::size_t length_of(const char* text);
bool equal(const char* left, const char* right);
bool equal(const char* left, std::size_t left_length, const char* right);
void copy_text(char* to, std::size_t capacity, const char* from);

// Reads a whole small file into `buffer` (NUL terminated). Its size, or -errno.
long read_small_file(const char* path, char* buffer, std::size_t capacity);
long read_small_fd(int fd, char* buffer, std::size_t capacity);
// One open, one write of everything. 0 or -errno.
long write_small_file(int directory, const char* path, const char* data, std::size_t size);
// The number after `key` at the start of a line ("oom_kill 3"); -1 when there is no such line.
long line_value(const char* text, const char* key);

}  // namespace drydock::plan::executor
