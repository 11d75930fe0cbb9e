#include <drydock/plan/executor/datagrams.hpp>

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <drydock/kernel/raw.hpp>

namespace drydock::plan::executor {

namespace {

constexpr int most_in_a_row = 64;  // so that no client keeps the others waiting

union Control {
  char bytes[CMSG_SPACE(sizeof(in6_pktinfo))];
  cmsghdr align;
};

template <typename Info>
void put(msghdr& message, Control& control, int level, int type, const Info& info) {
  message.msg_control = control.bytes;
  message.msg_controllen = CMSG_SPACE(sizeof info);
  cmsghdr* head = CMSG_FIRSTHDR(&message);
  head->cmsg_level = level;
  head->cmsg_type = type;
  head->cmsg_len = CMSG_LEN(sizeof info);
  memcpy(CMSG_DATA(head), &info, sizeof info);
}

}  // namespace

void Datagrams::begin(int poll, std::uint64_t tag, char* buffer) {
  poll_ = poll;
  tag_ = tag;
  buffer_ = buffer;
}

bool Datagrams::is_datagram_socket(int fd) {
  int type = 0;
  socklen_t size = sizeof type;
  return raw::call(SYS_getsockopt, fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_DGRAM;
}

long Datagrams::prepare_listener(int fd) {
  int family = 0;
  socklen_t size = sizeof family;
  const long result = raw::call(SYS_getsockopt, fd, SOL_SOCKET, SO_DOMAIN, &family, &size);
  if (raw::failed(result)) return result;
  const int on = 1;
  if (family == AF_INET6) return raw::call(SYS_setsockopt, fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on);
  return raw::call(SYS_setsockopt, fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
}

long Datagrams::receive(int socket, char* buffer, Route& route) {
  iovec part{buffer, buffer_size};
  Control control{};
  msghdr message{};
  message.msg_name = &route.client;
  message.msg_namelen = sizeof route.client;
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.bytes;
  message.msg_controllen = sizeof control.bytes;
  const long size = raw::call(SYS_recvmsg, socket, &message, MSG_DONTWAIT);
  if (raw::failed(size)) return size;
  route.client_size = message.msg_namelen;
  for (cmsghdr* head = CMSG_FIRSTHDR(&message); head != nullptr; head = CMSG_NXTHDR(&message, head)) {
    if (head->cmsg_level == IPPROTO_IP && head->cmsg_type == IP_PKTINFO) memcpy(&route.v4, CMSG_DATA(head), sizeof route.v4);
    if (head->cmsg_level == IPPROTO_IPV6 && head->cmsg_type == IPV6_PKTINFO) memcpy(&route.v6, CMSG_DATA(head), sizeof route.v6);
  }
  return size;
}

void Datagrams::answer(const Client& client, const char* data, std::size_t size) {
  iovec part{const_cast<char*>(data), size};
  Control control{};
  Address to = client.route.client;
  msghdr message{};
  message.msg_name = &to;
  message.msg_namelen = client.route.client_size;
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (to.any.sa_family == AF_INET6) {
    put(message, control, IPPROTO_IPV6, IPV6_PKTINFO, client.route.v6);
  } else {
    in_pktinfo from{};  // no link named: routing finds it
    from.ipi_spec_dst = client.route.v4.ipi_spec_dst;
    put(message, control, IPPROTO_IP, IP_PKTINFO, from);
  }
  (void)raw::call(SYS_sendmsg, client.listener, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

int Datagrams::find(int listener, const Route& route) const {
  for (int number = 0; number < largest_client_count; ++number) {
    const Client& client = clients_[number];
    if (client.upstream >= 0 && client.listener == listener && client.route.client_size == route.client_size &&
        memcmp(&client.route.client, &route.client, route.client_size) == 0 &&
        client.route.v4.ipi_spec_dst.s_addr == route.v4.ipi_spec_dst.s_addr &&
        memcmp(&client.route.v6.ipi6_addr, &route.v6.ipi6_addr, sizeof route.v6.ipi6_addr) == 0)
      return number;
  }
  return -1;
}

int Datagrams::make_room() {
  int oldest = 0;
  for (int number = 0; number < largest_client_count; ++number) {
    if (clients_[number].upstream < 0) return number;
    if (clients_[number].last_used < clients_[oldest].last_used) oldest = number;
  }
  (void)raw::call(SYS_close, clients_[oldest].upstream);
  clients_[oldest] = Client{};
  return oldest;
}

int Datagrams::open(int listener, const Route& route, const sockaddr_in& target) {
  const int number = make_room();
  const long fd = raw::call(SYS_socket, AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (raw::failed(fd)) return -1;
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = tag_ | static_cast<unsigned>(number);
  if (raw::failed(raw::call(SYS_connect, fd, &target, sizeof target)) || raw::failed(raw::call(SYS_epoll_ctl, poll_, EPOLL_CTL_ADD, fd, &event))) {
    (void)raw::call(SYS_close, fd);
    return -1;
  }
  clients_[number] = {listener, static_cast<int>(fd), route, 0};
  return number;
}

void Datagrams::from_client(int listener, const sockaddr_in& target) {
  for (int round = 0; round < most_in_a_row; ++round) {
    Route route;
    const long size = receive(listener, buffer_, route);
    if (raw::failed(size)) return;
    int number = find(listener, route);
    if (number < 0) number = open(listener, route, target);
    if (number < 0) continue;
    clients_[number].last_used = ++clock_;
    (void)raw::call(SYS_sendto, clients_[number].upstream, buffer_, size, MSG_NOSIGNAL | MSG_DONTWAIT, nullptr, 0);
  }
}

void Datagrams::from_container(int number) {
  Client& client = clients_[number];
  for (int round = 0; round < most_in_a_row && client.upstream >= 0; ++round) {
    // ECONNREFUSED: nobody listens there now; asking for it has cleared it.
    const long size = raw::call(SYS_recvfrom, client.upstream, buffer_, buffer_size, MSG_DONTWAIT, nullptr, nullptr);
    if (raw::failed(size)) return;
    client.last_used = ++clock_;
    answer(client, buffer_, static_cast<std::size_t>(size));
  }
}

}  // namespace drydock::plan::executor
