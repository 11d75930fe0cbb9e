#include <drydock/plan/executor/listen.hpp>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <cstdint>

#include <drydock/kernel/raw.hpp>

namespace drydock::plan::executor {

namespace {

constexpr int backlog = 128;

}  // namespace

long listen_socket(int family, int type, const char* address, int port) noexcept {
  sockaddr_storage where{};
  socklen_t size = 0;
  if (family == AF_INET) {
    auto& v4 = reinterpret_cast<sockaddr_in&>(where);
    v4.sin_family = AF_INET;
    v4.sin_port = htons(static_cast<std::uint16_t>(port));
    if (::inet_pton(AF_INET, address, &v4.sin_addr) != 1) return -EINVAL;
    size = sizeof v4;
  } else {
    auto& v6 = reinterpret_cast<sockaddr_in6&>(where);
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(static_cast<std::uint16_t>(port));
    if (::inet_pton(AF_INET6, address, &v6.sin6_addr) != 1) return -EINVAL;
    size = sizeof v6;
  }
  const long fd = raw::call(SYS_socket, family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (raw::failed(fd)) return fd;
  const int on = 1;
  long result = 0;
  // Connections of the previous container may still be in TIME_WAIT; a program that listens is found all the same. (Two sockets
  // for datagrams could share a port with it.)
  if (type == SOCK_STREAM) result = raw::call(SYS_setsockopt, fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (family == AF_INET6) result = raw::call(SYS_setsockopt, fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  if (!raw::failed(result)) result = raw::call(SYS_bind, fd, &where, size);
  if (!raw::failed(result) && type == SOCK_STREAM) result = raw::call(SYS_listen, fd, backlog);
  if (!raw::failed(result)) return fd;
  (void)raw::call(SYS_close, fd);
  return result;
}

}  // namespace drydock::plan::executor
