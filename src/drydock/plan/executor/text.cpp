#include <drydock/plan/executor/text.hpp>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>

#include <drydock/kernel/raw.hpp>

namespace drydock::plan::executor {

Line& Line::put(const char* text, std::size_t length) {
  const std::size_t room = capacity_ - size_ - 1;
  if (length > room) {
    overflowed_ = true;
    length = room;
  }
  memcpy(buffer_ + size_, text, length);
  size_ += length;
  buffer_[size_] = '\0';
  return *this;
}

Line& Line::put(const char* text) {
  return put(text, strlen(text));
}

Line& Line::put_number(long value, int width) {
  char digits[24];
  int at = sizeof digits;
  unsigned long rest = value < 0 ? 0UL - static_cast<unsigned long>(value) : static_cast<unsigned long>(value);
  do {
    digits[--at] = static_cast<char>('0' + rest % 10);
    rest /= 10;
  } while (rest != 0);
  while (static_cast<int>(sizeof digits) - at < width) digits[--at] = '0';
  if (value < 0) digits[--at] = '-';
  return put(digits + at, sizeof digits - static_cast<std::size_t>(at));
}

std::size_t length_of(const char* text) {
  return strlen(text);
}

bool equal(const char* left, const char* right) {
  return strcmp(left, right) == 0;
}

bool equal(const char* left, std::size_t left_length, const char* right) {
  return strlen(right) == left_length && memcmp(left, right, left_length) == 0;
}

void copy_text(char* to, std::size_t capacity, const char* from) {
  Line(to, capacity).put(from);
}

long read_small_fd(int fd, char* buffer, std::size_t capacity) {
  std::size_t size = 0;
  while (size + 1 < capacity) {
    const long count = raw::call(SYS_read, fd, buffer + size, capacity - 1 - size);
    if (count == -EINTR) continue;
    if (raw::failed(count)) return count;
    if (count == 0) break;
    size += static_cast<std::size_t>(count);
  }
  buffer[size] = '\0';
  return static_cast<long>(size);
}

long read_small_file(const char* path, char* buffer, std::size_t capacity) {
  const long fd = raw::call(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
  if (raw::failed(fd)) return fd;
  const long size = read_small_fd(static_cast<int>(fd), buffer, capacity);
  raw::call(SYS_close, fd);
  return size;
}

long write_small_file(int dir, const char* path, const char* data, std::size_t size) {
  const long fd = raw::call(SYS_openat, dir, path, O_WRONLY | O_CLOEXEC);
  if (raw::failed(fd)) return fd;
  long result;
  do result = raw::call(SYS_write, fd, data, size);
  while (result == -EINTR);
  raw::call(SYS_close, fd);
  if (raw::failed(result)) return result;
  return static_cast<std::size_t>(result) == size ? 0 : -EIO;
}

long line_value(const char* text, const char* key) {
  const std::size_t length = strlen(key);
  for (const char* line = text; line != nullptr; line = strchr(line, '\n')) {
    if (*line == '\n') ++line;
    if (strncmp(line, key, length) == 0 && line[length] == ' ') {
      long value = 0;
      for (const char* digit = line + length + 1; *digit >= '0' && *digit <= '9'; ++digit) value = value * 10 + (*digit - '0');
      return value;
    }
  }
  return -1;
}

}  // namespace drydock::plan::executor
