#include "shared/traffic.hpp"

#include <errno.h>
#include <netinet/ip_icmp.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>

#include <cstring>

#include <drydock/kernel/error.hpp>
#include <drydock/kernel/raw.hpp>
#include <drydock/kernel/sys.hpp>
#include <drydock/process/wait.hpp>

#include "shared/wire.hpp"

namespace drydock::chapter {

sockaddr_in socket_address(const std::string& address, int port) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_port = htons(static_cast<std::uint16_t>(port));
  out.sin_addr.s_addr = ipv4(address).wire();
  return out;
}

Fd socket_of(int family, int type, int protocol) {
  const long made = raw::call(SYS_socket, family, type | SOCK_CLOEXEC, protocol);
  if (raw::failed(made))
    throw Error::from_errno("socket", std::to_string(family) + ", " + std::to_string(type), raw::error_of(made));
  return Fd(static_cast<int>(made));
}

namespace {

constexpr std::uint16_t discard_port = 9;

std::uint16_t checksum(const std::uint16_t* words, std::size_t count) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < count; ++i) sum += words[i];
  sum = (sum >> 16) + (sum & 0xffff);
  return static_cast<std::uint16_t>(~(sum + (sum >> 16)));
}

bool is_reply_to(const icmphdr& request, const char* packet, long size) {
  if (size < 1) return false;
  const std::size_t header = static_cast<std::size_t>(packet[0] & 0xf) * 4;
  icmphdr reply{};
  if (static_cast<std::size_t>(size) < header + sizeof reply) return false;
  std::memcpy(&reply, packet + header, sizeof reply);
  return reply.type == ICMP_ECHOREPLY && reply.un.echo.id == request.un.echo.id;
}

}  // namespace

Outcome ping(const std::string& address, int timeout_ms) {
  const Fd socket = socket_of(AF_INET, SOCK_RAW, IPPROTO_ICMP);
  icmphdr request{};
  request.type = ICMP_ECHO;
  request.un.echo.id = static_cast<std::uint16_t>(sys::getpid());
  request.checksum = checksum(reinterpret_cast<const std::uint16_t*>(&request), sizeof request / 2);
  const sockaddr_in to = socket_address(address, 0);
  const long out = raw::call(SYS_sendto, socket.get(), &request, sizeof request, 0, &to, sizeof to);
  if (raw::failed(out)) return {out};
  const std::uint64_t deadline = sys::monotonic_ns() + static_cast<std::uint64_t>(timeout_ms) * 1'000'000;
  for (std::uint64_t now = sys::monotonic_ns(); now < deadline; now = sys::monotonic_ns()) {
    if (!process::wait_readable(socket.get(), static_cast<int>((deadline - now) / 1'000'000) + 1)) break;
    char packet[1024];
    if (is_reply_to(request, packet, raw::call(SYS_read, socket.get(), packet, sizeof packet))) return {0};
  }
  return {-ETIMEDOUT};
}

Outcome send_datagram(const std::string& address) {
  const Fd socket = socket_of(AF_INET, SOCK_DGRAM);
  const sockaddr_in to = socket_address(address, discard_port);
  return {raw::call(SYS_sendto, socket.get(), "x", 1, 0, &to, sizeof to)};
}

Outcome listen_on(const std::string& address, int port, Fd& listener, Reuse reuse) {
  listener = socket_of(AF_INET, SOCK_STREAM);
  const int wanted = reuse == Reuse::yes ? 1 : 0;
  raw::call(SYS_setsockopt, listener.get(), SOL_SOCKET, SO_REUSEADDR, &wanted, sizeof wanted);
  const sockaddr_in here = socket_address(address, port);
  const long bound = raw::call(SYS_bind, listener.get(), &here, sizeof here);
  return raw::failed(bound) ? Outcome{bound} : Outcome{raw::call(SYS_listen, listener.get(), 1)};
}

std::string hear(const std::string& address, int port, int timeout_ms) {
  const Fd socket = socket_of(AF_INET, SOCK_STREAM);
  const timeval patience{timeout_ms / 1000, timeout_ms % 1000 * 1000};
  for (const int direction : {SO_RCVTIMEO, SO_SNDTIMEO})
    raw::call(SYS_setsockopt, socket.get(), SOL_SOCKET, direction, &patience, sizeof patience);
  const sockaddr_in to = socket_address(address, port);
  if (const Outcome made{raw::call(SYS_connect, socket.get(), &to, sizeof to)}; made.failed())
    return made.error() == EINPROGRESS ? text(Outcome{-ETIMEDOUT}) : text(made);
  return sys::read_all(socket);
}

}  // namespace drydock::chapter
