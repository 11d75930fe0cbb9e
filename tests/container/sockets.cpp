#include "container/sockets.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>

#include <cstring>
#include <thread>

#include <drydock/kernel/sys.hpp>

#include "container/look.hpp"

namespace drydock::test {

namespace {

struct Address {
  sockaddr_storage bytes{};
  socklen_t size = 0;
};

Address address_of(const std::string& text, std::uint16_t port) {
  Address address;
  if (sockaddr_in6 six{}; ::inet_pton(AF_INET6, text.c_str(), &six.sin6_addr) == 1) {
    six.sin6_family = AF_INET6;
    six.sin6_port = htons(port);
    address.size = sizeof six;
    std::memcpy(&address.bytes, &six, sizeof six);
  } else {
    sockaddr_in four{};
    four.sin_family = AF_INET;
    four.sin_port = htons(port);
    ::inet_pton(AF_INET, text.c_str(), &four.sin_addr);
    address.size = sizeof four;
    std::memcpy(&address.bytes, &four, sizeof four);
  }
  return address;
}

}  // namespace

std::string fetch(const std::string& where, std::uint16_t port) {
  const Address address = address_of(where, port);
  const Fd socket(::socket(address.bytes.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address.bytes), address.size) != 0) return {};
  constexpr std::string_view request = "GET / HTTP/1.0\r\n\r\n";
  if (::send(socket.get(), request.data(), request.size(), MSG_NOSIGNAL) < 0) return {};
  std::string answer;
  for (;;) {
    pollfd event{socket.get(), POLLIN, 0};
    if (::poll(&event, 1, 3000) != 1) return answer;
    char buffer[4096];
    const ssize_t size = ::recv(socket.get(), buffer, sizeof buffer, 0);
    if (size <= 0) return answer;
    answer.append(buffer, static_cast<std::size_t>(size));
  }
}

bool answers(const std::string& where, std::uint16_t port) {
  return eventually([&] { return has(fetch(where, port), greeting); }, 3000);
}

Fd datagram_server(pid_t pid, std::uint16_t port) {
  Fd server;
  // A thread enters that network and ends; the socket stays there.
  std::thread([&] {
    const Fd network = sys::open("/proc/" + std::to_string(pid) + "/ns/net", O_RDONLY);
    const Address address = address_of("0.0.0.0", port);
    if (::setns(network.get(), CLONE_NEWNET) != 0) return;
    Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address.bytes), address.size) == 0) server = std::move(socket);
  }).join();
  return server;
}

namespace {

bool arrives(const Fd& socket, std::string_view text, Address& from) {
  pollfd event{socket.get(), POLLIN, 0};
  if (::poll(&event, 1, 200) != 1) return false;
  char bytes[64];
  from.size = sizeof from.bytes;
  const ssize_t size = ::recvfrom(socket.get(), bytes, sizeof bytes, 0, reinterpret_cast<sockaddr*>(&from.bytes), &from.size);
  return size >= 0 && std::string_view(bytes, static_cast<std::size_t>(size)) == text;
}

}  // namespace

bool datagrams_pass(const std::string& where, std::uint16_t port, const Fd& server) {
  const Address address = address_of(where, port);
  const Fd client(::socket(address.bytes.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (::connect(client.get(), reinterpret_cast<const sockaddr*>(&address.bytes), address.size) != 0) return false;
  Address from;
  return eventually(
      [&] {
        return ::send(client.get(), "ahoy", 4, MSG_NOSIGNAL) == 4 && arrives(server, "ahoy", from) &&
               ::sendto(server.get(), "aye", 3, 0, reinterpret_cast<const sockaddr*>(&from.bytes), from.size) == 3 && arrives(client, "aye", from);
      },
      3000);
}

Fd listener(const std::string& where, std::uint16_t port) {
  const Address address = address_of(where, port);
  Fd socket(::socket(address.bytes.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const bool listens = ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address.bytes), address.size) == 0 &&
                       ::listen(socket.get(), 8) == 0;
  return listens ? std::move(socket) : Fd();
}

}  // namespace drydock::test
