// The half of the proxy that carries datagrams: published UDP ports on loopback, on IPv6, and where nothing is translated.
//
// A client is an address that sends to a port. Each has a socket of its own towards the container, so that answers find their
// way back; they leave from the very address that the client wrote to. A datagram is passed on or dropped, as on any link.
//
// Example: Datagrams relay; relay.begin(poll, tag); relay.from_client(listener, target); ... relay.from_container(number);
// Source: udp(7), IP_PKTINFO in ip(7), IPV6_RECVPKTINFO in ipv6(7), RFC 3542 section 6.
#pragma once

#include <netinet/in.h>

#include <cstddef>
#include <cstdint>

namespace drydock::plan::executor {

class Datagrams {
 public:
  // 128 clients at once; the one that was silent for the longest time makes room for another.
  static constexpr int largest_client_count = 128;
  static constexpr std::size_t buffer_size = 64 * 1024;  // longer than any datagram

  // Sockets towards the container are added to the epoll set `poll`, with `tag` | number as their data. `buffer` holds
  // buffer_size bytes and outlives this.
  void begin(int poll, std::uint64_t tag, char* buffer);
  // A client has written to `listener`, a socket prepared by prepare_listener().
  void from_client(int listener, const sockaddr_in& target);
  void from_container(int number);

  static bool is_datagram_socket(int fd);
  // Tells the kernel to say which of our addresses a datagram came to. 0 or -errno.
  static long prepare_listener(int fd);

 private:
  union Address {
    sockaddr any;
    sockaddr_in v4;
    sockaddr_in6 v6;
  };
  // Where a datagram came from, and which of our addresses it came to.
  struct Route {
    Address client{};
    socklen_t client_size = 0;
    in_pktinfo v4{};
    in6_pktinfo v6{};
  };
  struct Client {
    int listener = -1, upstream = -1;
    Route route;
    std::uint64_t last_used = 0;
  };

  static long receive(int socket, char* buffer, Route& route);
  static void answer(const Client& client, const char* data, std::size_t size);
  int find(int listener, const Route& route) const;
  int open(int listener, const Route& route, const sockaddr_in& target);
  int make_room();

  int poll_ = -1;
  std::uint64_t tag_ = 0, clock_ = 0;
  char* buffer_ = nullptr;
  Client clients_[largest_client_count];
};

}  // namespace drydock::plan::executor
