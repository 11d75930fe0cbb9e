#include <drydock/plan/executor/packets.hpp>

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <drydock/kernel/raw.hpp>

namespace drydock::plan::executor {

namespace {

union FdControl {
  char bytes[CMSG_SPACE(sizeof(int))];
  cmsghdr align;
};

long send_with_fd(int socket, void* data, std::size_t size, int fd) {
  iovec part{data, size};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  FdControl control{};
  if (fd >= 0) {
    message.msg_control = control.bytes;
    message.msg_controllen = sizeof control.bytes;
    cmsghdr* head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(head), &fd, sizeof fd);
  }
  long result;
  do result = raw::call(SYS_sendmsg, socket, &message, MSG_NOSIGNAL);
  while (result == -EINTR);
  return result;
}

long receive_with_fd(int socket, void* data, std::size_t size, int& fd, int flags) {
  iovec part{data, size};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  FdControl control{};
  message.msg_control = control.bytes;
  message.msg_controllen = sizeof control.bytes;
  long result;
  do result = raw::call(SYS_recvmsg, socket, &message, flags | MSG_CMSG_CLOEXEC);
  while (result == -EINTR);
  fd = -1;
  if (raw::failed(result)) return result;
  for (cmsghdr* head = CMSG_FIRSTHDR(&message); head != nullptr; head = CMSG_NXTHDR(&message, head))
    if (head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS) memcpy(&fd, CMSG_DATA(head), sizeof fd);
  return result;
}

}  // namespace

bool makes_descriptor(Op op) {
  switch (op) {
    case Op::open:
    case Op::openat:
    case Op::open_proc_file:
    case Op::open_in_root:
    case Op::mkdirs_in_root:
    case Op::fsopen:
    case Op::fsmount:
    case Op::open_tree:
    case Op::pidfd_open:
    case Op::pidfd_open_checked:
    case Op::netlink_open:
    case Op::socket_listen:
    case Op::pty_open:
    case Op::pipe:
      return true;
    default:
      return false;
  }
}

void send_lane_message(int socket, unsigned step, long value, LaneFd carried, int fd) {
  wire::LaneMessage message{step, static_cast<std::uint32_t>(fd >= 0 ? carried : LaneFd::none), value};
  send_with_fd(socket, &message, sizeof message, fd);  // a lane that is gone is noticed where it matters
}

bool receive_lane_message(int socket, wire::LaneMessage& message, int& fd) {
  return receive_with_fd(socket, &message, sizeof message, fd, 0) == static_cast<long>(sizeof message);
}

long send_packet(int socket, wire::Packet packet, int fd) {
  if (socket < 0) return -EPIPE;
  const long result = send_with_fd(socket, &packet, sizeof packet, fd);
  return raw::failed(result) ? result : 0;
}

long receive_packet(int socket, wire::Packet& packet, bool wait) {
  long result;
  do result = raw::call(SYS_recvfrom, socket, &packet, sizeof packet, wait ? 0 : MSG_DONTWAIT, nullptr, nullptr);
  while (result == -EINTR);
  if (raw::failed(result)) return result == -ECONNRESET ? 0 : result;
  return result == static_cast<long>(sizeof packet) ? result : 0;
}

bool receive_packet_fd(int socket, wire::Packet& packet, int& fd) {
  return receive_with_fd(socket, &packet, sizeof packet, fd, 0) == static_cast<long>(sizeof packet);
}

bool caller_is_gone(const Context& context) {
  if (context.control < 0) return false;
  pollfd event{context.control, 0, 0};
  const timespec now{0, 0};
  raw::call(SYS_ppoll, &event, 1, &now, nullptr, 0);
  return (event.revents & (POLLHUP | POLLERR)) != 0;
}

}  // namespace drydock::plan::executor
