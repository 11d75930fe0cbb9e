#include <drydock/plan/executor/netlink_io.hpp>

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <drydock/kernel/raw.hpp>
#include <drydock/plan/executor/text.hpp>

namespace drydock::plan::executor {

namespace {

constexpr std::size_t align(std::size_t length) {
  return (length + 3) & ~std::size_t{3};
}

// The message at `at`, or nullptr when the rest of the buffer holds none.
nlmsghdr* message_at(void* buffer, std::size_t size, std::size_t at) {
  if (at + sizeof(nlmsghdr) > size) return nullptr;
  auto* header = reinterpret_cast<nlmsghdr*>(static_cast<char*>(buffer) + at);
  return header->nlmsg_len < sizeof(nlmsghdr) || header->nlmsg_len > size - at ? nullptr : header;
}

unsigned acknowledgements_wanted(void* buffer, std::size_t size) {
  unsigned wanted = 0;
  std::size_t at = 0;
  while (const nlmsghdr* header = message_at(buffer, size, at)) {
    if (header->nlmsg_flags & NLM_F_ACK) ++wanted;
    at += align(header->nlmsg_len);
  }
  return wanted;
}

// The extended acknowledgement: attributes behind the error, which (NETLINK_CAP_ACK) does not quote the request.
void kernel_words(const nlmsghdr* header, Line& out) {
  if (!(header->nlmsg_flags & NLM_F_ACK_TLVS)) return;
  const auto* error = reinterpret_cast<const nlmsgerr*>(NLMSG_DATA(header));
  std::size_t at = NLMSG_HDRLEN + sizeof(nlmsgerr);
  if (!(header->nlmsg_flags & NLM_F_CAPPED)) at += align(error->msg.nlmsg_len) - sizeof(nlmsghdr);
  while (at + sizeof(nlattr) <= header->nlmsg_len) {
    const auto* attribute = reinterpret_cast<const nlattr*>(reinterpret_cast<const char*>(header) + at);
    if (attribute->nla_len < sizeof(nlattr) || at + attribute->nla_len > header->nlmsg_len) return;
    const char* payload = reinterpret_cast<const char*>(attribute + 1);
    if ((attribute->nla_type & NLA_TYPE_MASK) == NLMSGERR_ATTR_MSG) {
      std::size_t length = attribute->nla_len - sizeof(nlattr);
      while (length != 0 && payload[length - 1] == '\0') --length;
      out.put(payload, length);
    }
    at += align(attribute->nla_len);
  }
}

struct Answers {
  unsigned count = 0;
  long first_error = 0;
};

void read_answers(void* buffer, std::size_t size, Answers& answers, Line& words) {
  std::size_t at = 0;
  while (const nlmsghdr* header = message_at(buffer, size, at)) {
    at += align(header->nlmsg_len);
    if (header->nlmsg_type != NLMSG_ERROR || header->nlmsg_len < NLMSG_HDRLEN + sizeof(nlmsgerr)) continue;
    const int code = reinterpret_cast<const nlmsgerr*>(NLMSG_DATA(header))->error;
    ++answers.count;
    if (code == 0 || answers.first_error != 0) continue;
    answers.first_error = code;
    kernel_words(header, words);
  }
}

}  // namespace

long netlink_socket(int protocol) noexcept {
  const long fd = raw::call(SYS_socket, AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
  if (raw::failed(fd)) return fd;
  const int on = 1;
  // Kernels before 4.12 lack the first: they lose the words, not the answer.
  (void)raw::call(SYS_setsockopt, fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on);
  (void)raw::call(SYS_setsockopt, fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
  return fd;
}

bool netlink_patch(void* message, std::size_t length, std::size_t offset, std::uint32_t value) noexcept {
  if (offset + sizeof value > length || offset + sizeof value < offset) return false;
  __builtin_memcpy(static_cast<char*>(message) + offset, &value, sizeof value);
  return true;
}

long netlink_transaction(int fd, void* message, std::size_t length, char* error_text, std::size_t error_capacity) noexcept {
  char unused[2];
  Line words(error_capacity != 0 ? error_text : unused, error_capacity != 0 ? error_capacity : sizeof unused);
  long sent;
  do sent = raw::call(SYS_sendto, fd, message, length, 0, nullptr, 0);
  while (sent == -EINTR);
  if (raw::failed(sent)) return sent;

  alignas(nlmsghdr) char buffer[8192];
  Answers answers;
  for (;;) {
    const long received = raw::call(SYS_recvfrom, fd, buffer, sizeof buffer, MSG_DONTWAIT, nullptr, nullptr);
    if (received == -EINTR) continue;
    if (received == -EAGAIN) break;
    if (raw::failed(received)) return received;
    read_answers(buffer, static_cast<std::size_t>(received), answers, words);
  }
  if (answers.first_error != 0) return answers.first_error;
  return answers.count < acknowledgements_wanted(message, length) ? -EPROTO : 0;
}

long link_present(int fd, const char* name) noexcept {
  char bounded[IFNAMSIZ]{};
  copy_text(bounded, sizeof bounded, name);
  const long result = raw::call(SYS_setsockopt, fd, SOL_SOCKET, SO_BINDTODEVICE, bounded, sizeof bounded);
  if (!raw::failed(result)) return 1;
  if (result == -ENODEV) return 0;
  const long index = link_index(fd, name);  // without CAP_NET_RAW a socket can be bound only once
  return index == -ENODEV ? 0 : raw::failed(index) ? index : 1;
}

long link_index(int fd, const char* name) noexcept {
  ifreq request{};
  copy_text(request.ifr_name, sizeof request.ifr_name, name);
  const long result = raw::call(SYS_ioctl, fd, SIOCGIFINDEX, &request);
  return raw::failed(result) ? result : request.ifr_ifindex;
}

long delete_link(int fd, const char* name, long index, char* error_text, std::size_t error_capacity) noexcept {
  const long found = link_index(fd, name);
  if (found == -ENODEV || (index > 0 && found >= 0 && found != index)) return 0;
  if (raw::failed(found)) return found;
  struct {
    nlmsghdr header;
    ifinfomsg link;
  } request{};
  request.header.nlmsg_len = sizeof request;
  request.header.nlmsg_type = RTM_DELLINK;
  request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
  request.link.ifi_family = AF_UNSPEC;
  request.link.ifi_index = static_cast<int>(found);
  const long result = netlink_transaction(fd, &request, sizeof request, error_text, error_capacity);
  return result == -ENODEV ? 0 : result;
}

}  // namespace drydock::plan::executor
