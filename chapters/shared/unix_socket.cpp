#include "shared/unix_socket.hpp"

#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <utility>

#include <drydock/kernel/raw.hpp>

namespace drydock::chapter {

namespace {

std::pair<sockaddr_un, std::size_t> address_of(const std::string& name) {
  sockaddr_un out{};
  out.sun_family = AF_UNIX;
  std::memcpy(out.sun_path, name.data(), std::min(name.size(), sizeof out.sun_path - 1));
  if (name.starts_with('@')) out.sun_path[0] = '\0';
  return {out, offsetof(sockaddr_un, sun_path) + name.size()};
}

Fd stream_socket() {
  return Fd(static_cast<int>(raw::call(SYS_socket, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)));
}

}  // namespace

Outcome listen_at(const std::string& name, Fd& listener) {
  listener = stream_socket();
  const auto [address, size] = address_of(name);
  const long bound = raw::call(SYS_bind, listener.get(), &address, size);
  return raw::failed(bound) ? Outcome{bound} : Outcome{raw::call(SYS_listen, listener.get(), 8)};
}

Outcome connect_to(const std::string& name) {
  const Fd socket = stream_socket();
  const auto [address, size] = address_of(name);
  return {raw::call(SYS_connect, socket.get(), &address, size)};
}

}  // namespace drydock::chapter
