#include <drydock/plan/executor/proxy.hpp>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <cstdint>

#include <drydock/kernel/raw.hpp>
#include <drydock/plan/executor/datagrams.hpp>

namespace drydock::plan::executor {

namespace {

constexpr int largest_listener_count = 128;
constexpr int largest_connection_count = 256;
constexpr std::size_t buffer_size = 16 * 1024;

// One direction of a connection: bytes read from a source wait here until the destination takes them.
struct Direction {
  std::uint32_t begin = 0, end = 0;  // of the bytes waiting in the buffer
  bool source_ended = false;         // the source sent its FIN
  bool end_passed_on = false;        // and the destination was told (half-close)
  bool empty() const { return begin == end; }
};

// ends[0] is the client, ends[1] the container. directions[i] carries from ends[i] to ends[1 - i].
struct Connection {
  int ends[2] = {-1, -1};
  std::uint32_t watched[2] = {0, 0};
  bool connecting = false;  // towards the container
  Direction directions[2];
  bool used() const { return ends[0] >= 0; }
};

// The buffers come from one anonymous mapping: pages that no connection ever touched cost nothing.
struct Proxy {
  int poll = -1;
  const int* listeners = nullptr;
  int listener_count = 0;
  bool accepting = true;
  bool takes_datagrams[largest_listener_count] = {};
  sockaddr_in targets[largest_listener_count] = {};
  Connection connections[largest_connection_count];
  char* buffers = nullptr;
  int in_use = 0;
  Datagrams datagrams;

  char* buffer(int connection, int direction) const {
    return buffers + (static_cast<std::size_t>(connection) * 2 + static_cast<std::size_t>(direction)) * buffer_size;
  }
};

// What epoll gives back: a listener, the socket of a client's datagrams, or one end of a connection.
constexpr std::uint64_t listener_tag = 1ull << 32, datagram_tag = 1ull << 33;

void close_fd(int fd) {
  if (fd >= 0) (void)raw::call(SYS_close, fd);
}

void set_listening(Proxy& proxy, bool on) {
  if (proxy.accepting == on) return;
  proxy.accepting = on;
  for (int i = 0; i < proxy.listener_count; ++i) {
    if (proxy.listeners[i] < 0 || proxy.takes_datagrams[i]) continue;
    epoll_event event{};
    event.events = on ? std::uint32_t{EPOLLIN} : 0u;
    event.data.u64 = listener_tag | static_cast<unsigned>(i);
    (void)raw::call(SYS_epoll_ctl, proxy.poll, EPOLL_CTL_MOD, proxy.listeners[i], &event);
  }
}

void drop(Proxy& proxy, int number) {
  Connection& connection = proxy.connections[number];
  close_fd(connection.ends[0]);  // closing takes a descriptor out of the epoll set
  close_fd(connection.ends[1]);
  connection = Connection{};
  --proxy.in_use;
  set_listening(proxy, true);
}

// Watches each end for exactly what could make progress, so that a closed or full side never spins.
void watch(Proxy& proxy, int number) {
  Connection& connection = proxy.connections[number];
  for (int end = 0; end < 2; ++end) {
    const Direction& out = connection.directions[end];
    const Direction& in = connection.directions[1 - end];
    std::uint32_t wanted = 0;
    if (connection.connecting) {
      wanted = end == 1 ? std::uint32_t{EPOLLOUT} : 0u;
    } else {
      if (!out.source_ended && out.empty()) wanted |= EPOLLIN;
      if (!in.empty()) wanted |= EPOLLOUT;
    }
    if (wanted == connection.watched[end]) continue;
    connection.watched[end] = wanted;
    epoll_event event{};
    event.events = wanted;
    event.data.u64 = static_cast<unsigned>(number * 2 + end);
    (void)raw::call(SYS_epoll_ctl, proxy.poll, EPOLL_CTL_MOD, connection.ends[end], &event);
  }
}

// Moves bytes from ends[from] until one side would block. False when the connection is broken.
bool pump(Proxy& proxy, int number, int from) {
  Connection& connection = proxy.connections[number];
  Direction& direction = connection.directions[from];
  char* buffer = proxy.buffer(number, from);
  for (;;) {
    while (!direction.empty()) {
      const long sent = raw::call(SYS_sendto, connection.ends[1 - from], buffer + direction.begin,
                                  direction.end - direction.begin, MSG_NOSIGNAL, nullptr, 0);
      if (sent == -EAGAIN || sent == -EINTR) return true;
      if (raw::failed(sent)) return false;
      direction.begin += static_cast<std::uint32_t>(sent);
    }
    direction.begin = direction.end = 0;
    if (direction.source_ended) {
      if (!direction.end_passed_on) (void)raw::call(SYS_shutdown, connection.ends[1 - from], SHUT_WR);
      direction.end_passed_on = true;
      return true;
    }
    const long count = raw::call(SYS_recvfrom, connection.ends[from], buffer, buffer_size, 0, nullptr, nullptr);
    if (count == -EAGAIN || count == -EINTR) return true;
    if (raw::failed(count)) return false;
    if (count == 0) direction.source_ended = true;
    direction.end = static_cast<std::uint32_t>(count);
  }
}

// The result of a connect that was still under way; 0 when it succeeded.
int connect_error(int fd) {
  int code = 0;
  socklen_t size = sizeof code;
  const long result = raw::call(SYS_getsockopt, fd, SOL_SOCKET, SO_ERROR, &code, &size);
  return raw::failed(result) ? raw::error_of(result) : code;
}

void serve(Proxy& proxy, int number, int end, std::uint32_t events) {
  Connection& connection = proxy.connections[number];
  if (!connection.used()) return;  // dropped by an earlier event of the same round
  if (connection.connecting) {
    if (end != 1) {  // EPOLLERR and EPOLLHUP come unasked
      if (events & (EPOLLERR | EPOLLHUP)) drop(proxy, number);
      return;
    }
    if (connect_error(connection.ends[1]) != 0) return drop(proxy, number);
    connection.connecting = false;
  }
  if (!pump(proxy, number, 0) || !pump(proxy, number, 1)) return drop(proxy, number);
  if (connection.directions[0].end_passed_on && connection.directions[1].end_passed_on) return drop(proxy, number);
  if (events & (EPOLLERR | EPOLLHUP)) {
    // This end is gone for good. What it still sent is delivered; its descriptor leaves the set, or it would wake us for ever.
    if (connection.directions[end].empty()) return drop(proxy, number);
    (void)raw::call(SYS_epoll_ctl, proxy.poll, EPOLL_CTL_DEL, connection.ends[end], nullptr);
  }
  watch(proxy, number);
}

bool add_to_poll(const Proxy& proxy, int fd, std::uint64_t tag, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = tag;
  return !raw::failed(raw::call(SYS_epoll_ctl, proxy.poll, EPOLL_CTL_ADD, fd, &event));
}

void no_delay(int fd) {
  const int on = 1;
  (void)raw::call(SYS_setsockopt, fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

void open_connection(Proxy& proxy, int number, int client, const sockaddr_in& target) {
  Connection& connection = proxy.connections[number];
  const long server = raw::call(SYS_socket, AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (raw::failed(server)) return close_fd(client);
  connection.ends[0] = client;
  connection.ends[1] = static_cast<int>(server);
  connection.connecting = true;
  ++proxy.in_use;
  no_delay(connection.ends[0]);
  no_delay(connection.ends[1]);
  const long result = raw::call(SYS_connect, server, &target, sizeof target);
  const bool refused = raw::failed(result) && result != -EINPROGRESS;
  const auto tag = static_cast<std::uint64_t>(number) * 2;
  if (refused || !add_to_poll(proxy, client, tag, 0) || !add_to_poll(proxy, connection.ends[1], tag + 1, 0))
    return drop(proxy, number);
  watch(proxy, number);
}

void accept_clients(Proxy& proxy, int listener) {
  for (int number = 0; number < largest_connection_count; ++number) {
    if (proxy.connections[number].used()) continue;
    const long client = raw::call(SYS_accept4, proxy.listeners[listener], nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (raw::failed(client)) {
      // Out of descriptors: without a pause epoll would report the same client at once, for ever.
      if ((client == -EMFILE || client == -ENFILE) && proxy.in_use > 0) set_listening(proxy, false);
      return;
    }
    open_connection(proxy, number, static_cast<int>(client), proxy.targets[listener]);
  }
  set_listening(proxy, false);
}

// A process that strangers talk to holds nothing but what it needs: above all not the sockets to the monitor and its caller.
void close_all_but(const int* kept, std::size_t count) {
  unsigned next = 0;
  for (;;) {
    unsigned nearest = ~0u;
    for (std::size_t i = 0; i < count; ++i)
      if (kept[i] >= 0 && static_cast<unsigned>(kept[i]) >= next && static_cast<unsigned>(kept[i]) < nearest)
        nearest = static_cast<unsigned>(kept[i]);
    if (nearest > next) (void)raw::call(SYS_close_range, next, nearest == ~0u ? ~0u : nearest - 1, 0);
    if (nearest == ~0u) return;
    next = nearest + 1;
  }
}

long prepare(Proxy& proxy, const int* listeners, std::size_t count, const char* address, const int* ports) {
  if (count > largest_listener_count) return -E2BIG;
  close_all_but(listeners, count);
  proxy.listeners = listeners;
  proxy.listener_count = static_cast<int>(count);
  const long poll = raw::call(SYS_epoll_create1, EPOLL_CLOEXEC);
  if (raw::failed(poll)) return poll;
  proxy.poll = static_cast<int>(poll);
  const long buffers = raw::call(SYS_mmap, nullptr, largest_connection_count * 2 * buffer_size + Datagrams::buffer_size, PROT_READ | PROT_WRITE,
                                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (raw::failed(buffers)) return buffers;
  proxy.buffers = reinterpret_cast<char*>(buffers);
  proxy.datagrams.begin(proxy.poll, datagram_tag, proxy.buffer(largest_connection_count, 0));
  long served = 0;
  for (int i = 0; i < proxy.listener_count; ++i) {
    proxy.targets[i].sin_family = AF_INET;
    proxy.targets[i].sin_port = htons(static_cast<std::uint16_t>(ports[i]));
    if (::inet_pton(AF_INET, address, &proxy.targets[i].sin_addr) != 1) return -EINVAL;
    if (listeners[i] < 0) continue;
    const long flags = raw::call(SYS_fcntl, listeners[i], F_GETFL);
    if (raw::failed(flags)) return flags;
    (void)raw::call(SYS_fcntl, listeners[i], F_SETFL, flags | O_NONBLOCK);
    proxy.takes_datagrams[i] = Datagrams::is_datagram_socket(listeners[i]);
    if (proxy.takes_datagrams[i])
      if (const long result = Datagrams::prepare_listener(listeners[i]); raw::failed(result)) return result;
    if (!add_to_poll(proxy, listeners[i], listener_tag | static_cast<unsigned>(i), EPOLLIN)) return -EBADF;
    ++served;
  }
  return served;
}

}  // namespace

long proxy_loop(const int* listeners, std::size_t count, const char* address, const int* ports) noexcept {
  Proxy proxy;
  const long served = prepare(proxy, listeners, count, address, ports);
  if (served <= 0) return served;
  epoll_event events[64];
  for (;;) {
    const long ready = raw::call(SYS_epoll_pwait, proxy.poll, events, 64, -1, nullptr, 0);
    if (ready == -EINTR) continue;
    if (raw::failed(ready)) return ready;
    // New clients last: they may get the number of a connection that has just been dropped, but never its events.
    for (long i = 0; i < ready; ++i) {
      const std::uint64_t tag = events[i].data.u64;
      if (tag & datagram_tag) proxy.datagrams.from_container(static_cast<int>(tag & 0xffff));
      else if (!(tag & listener_tag)) serve(proxy, static_cast<int>(tag / 2), static_cast<int>(tag % 2), events[i].events);
    }
    for (long i = 0; i < ready; ++i) {
      if (!(events[i].data.u64 & listener_tag)) continue;
      const int listener = static_cast<int>(events[i].data.u64 & 0xffff);
      if (proxy.takes_datagrams[listener]) proxy.datagrams.from_client(proxy.listeners[listener], proxy.targets[listener]);
      else accept_clients(proxy, listener);
    }
  }
}

}  // namespace drydock::plan::executor
