#include <drydock/plan/executor/output.hpp>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include <drydock/kernel/raw.hpp>
#include <drydock/plan/executor/context.hpp>
#include <drydock/plan/executor/text.hpp>

namespace drydock::plan::executor {

namespace {

// Civil date from days since 1970-01-01 (proleptic Gregorian calendar, eras of 400 years that begin in March).
void put_time(Line& line, std::uint64_t ns) {
  const long seconds = static_cast<long>(ns / 1'000'000'000u);
  const long days = seconds / 86400 + 719468, rest = seconds % 86400;
  const long era = days / 146097, day_of_era = days % 146097;
  const long year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const long day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const long shifted = (5 * day_of_year + 2) / 153;
  const long month = shifted < 10 ? shifted + 3 : shifted - 9;
  line.put_number(year_of_era + era * 400 + (month <= 2 ? 1 : 0), 4).put("-").put_number(month, 2).put("-");
  line.put_number(day_of_year - (153 * shifted + 2) / 5 + 1, 2).put("T").put_number(rest / 3600, 2).put(":");
  line.put_number(rest / 60 % 60, 2).put(":").put_number(rest % 60, 2).put(".");
  line.put_number(static_cast<long>(ns % 1'000'000'000u), 9).put("Z");
}

// Length of the valid UTF-8 sequence at `text`, 0 when there is none.
std::size_t utf8_length(const unsigned char* text, std::size_t room) {
  std::size_t length = text[0] < 0x80 ? 1 : text[0] >= 0xc2 && text[0] < 0xe0 ? 2 : (text[0] & 0xf0) == 0xe0 ? 3 : text[0] >= 0xf0 && text[0] < 0xf5 ? 4 : 0;
  if (length == 0 || length > room) return 0;
  for (std::size_t at = 1; at < length; ++at)
    if ((text[at] & 0xc0) != 0x80) return 0;
  if (length == 3 && ((text[0] == 0xe0 && text[1] < 0xa0) || (text[0] == 0xed && text[1] >= 0xa0))) return 0;
  if (length == 4 && ((text[0] == 0xf0 && text[1] < 0x90) || (text[0] == 0xf4 && text[1] >= 0x90))) return 0;
  return length;
}

void put_json(Line& line, const char* data, std::size_t size) {
  const auto* text = reinterpret_cast<const unsigned char*>(data);
  for (std::size_t at = 0; at < size;) {
    const unsigned char byte = text[at];
    if (byte == '"' || byte == '\\') {
      line.put("\\").put(data + at++, 1);
    } else if (byte < 0x20 || byte == 0x7f) {
      const char digits[] = {'\\', 'u', '0', '0', "0123456789abcdef"[byte >> 4], "0123456789abcdef"[byte & 15]};
      line.put(digits, sizeof digits);
      ++at;
    } else if (const std::size_t length = utf8_length(text + at, size - at); length > 0) {
      line.put(data + at, length);
      at += length;
    } else {
      line.put("\xef\xbf\xbd");  // U+FFFD for a byte that is no UTF-8
      ++at;
    }
  }
}

void write_all(int fd, const char* data, std::size_t size) {
  while (size > 0) {
    const long written = raw::call(SYS_write, fd, data, size);
    if (written == -EINTR) continue;
    if (raw::failed(written)) return;  // a full disk loses log lines, not the container
    data += written;
    size -= static_cast<std::size_t>(written);
  }
}

}  // namespace

long Output::open(const char* log_path, const char* socket_path) {
  if (log_path[0] != '\0') {
    const long log = raw::call(SYS_openat, AT_FDCWD, log_path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW);
    if (raw::failed(log)) return log;
    log_ = static_cast<int>(log);
  }
  if (socket_path[0] == '\0') return 0;
  const long listener = raw::call(SYS_socket, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (raw::failed(listener)) return listener;
  listener_ = static_cast<int>(listener);
  return listen_at(socket_path);
}

// A socket's address holds 107 bytes, a path may be longer: its directory is named by descriptor.
long Output::listen_at(const char* path) {
  const char* slash = strrchr(path, '/');
  char directory[4096];
  Line(directory, sizeof directory).put(path, static_cast<std::size_t>(slash - path));
  const long dir = raw::call(SYS_openat, AT_FDCWD, directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (raw::failed(dir)) return dir;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  Line(address.sun_path, sizeof address.sun_path).put("/proc/self/fd/").put_number(dir).put(slash);
  long result = raw::call(SYS_bind, listener_, &address, sizeof address);
  if (!raw::failed(result)) result = raw::call(SYS_listen, listener_, 8);
  raw::call(SYS_close, dir);
  return raw::failed(result) ? result : 0;
}

void Output::log_line(int stream) {
  Pending& pending = pending_[stream - 1];
  if (pending.size == 0 || log_ < 0) {
    pending.size = 0;
    return;
  }
  static char buffer[6 * sizeof pending.text + 128];
  Line line(buffer, sizeof buffer);
  line.put("{\"log\":\"");
  put_json(line, pending.text, pending.size);
  line.put(stream == 1 ? "\",\"stream\":\"stdout\",\"time\":\"" : "\",\"stream\":\"stderr\",\"time\":\"");
  put_time(line, realtime_ns());
  line.put("\"}\n");
  write_all(log_, line.c_str(), line.size());
  pending.size = 0;
}

void Output::write(int stream, const char* data, std::size_t size) {
  Pending& pending = pending_[stream - 1];
  for (std::size_t at = 0; at < size; ++at) {
    pending.text[pending.size++] = data[at];
    if (data[at] == '\n' || pending.size == sizeof pending.text) log_line(stream);
  }
  char packet[4097];
  for (std::size_t at = 0; at < size && count_ > 0; at += sizeof packet - 1) {
    const std::size_t part = size - at < sizeof packet - 1 ? size - at : sizeof packet - 1;
    packet[0] = stream == 1 ? attach_stdout : attach_stderr;
    memcpy(packet + 1, data + at, part);
    for (int index = count_ - 1; index >= 0; --index) {
      // A reader that does not keep up loses its connection, the container does not wait for it.
      const long sent = raw::call(SYS_sendto, clients_[index], packet, part + 1, MSG_NOSIGNAL | MSG_DONTWAIT, nullptr, 0);
      if (raw::failed(sent) && sent != -EINTR) drop(index);
    }
  }
}

void Output::accept() {
  const long client = raw::call(SYS_accept4, listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (raw::failed(client)) return;
  if (count_ == capacity_) {
    raw::call(SYS_close, client);
    return;
  }
  const int room = 1 << 20;
  raw::call(SYS_setsockopt, client, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
  clients_[count_++] = static_cast<int>(client);
}

void Output::drop(int index) {
  raw::call(SYS_close, clients_[index]);
  clients_[index] = clients_[--count_];
}

void Output::close() {
  log_line(1);
  log_line(2);
  while (count_ > 0) drop(count_ - 1);
  if (listener_ >= 0) raw::call(SYS_close, listener_);
  if (log_ >= 0) raw::call(SYS_close, log_);
  listener_ = log_ = -1;
}

}  // namespace drydock::plan::executor
