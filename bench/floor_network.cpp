#include <arpa/inet.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "floor.hpp"

namespace drydock::bench {
namespace {

// One rtnetlink message under construction. Attributes are appended; begin/end nest them.
class Message {
 public:
  Message(int type, int flags, const void* body, std::size_t size) {
    header()->nlmsg_len = NLMSG_LENGTH(size);
    header()->nlmsg_type = static_cast<std::uint16_t>(type);
    header()->nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | NLM_F_ACK | flags);
    std::memcpy(NLMSG_DATA(header()), body, size);
  }

  void add(int type, const void* data, std::size_t size) {
    auto* attribute = reinterpret_cast<rtattr*>(end());
    attribute->rta_type = static_cast<std::uint16_t>(type);
    attribute->rta_len = static_cast<std::uint16_t>(RTA_LENGTH(size));
    if (size != 0) std::memcpy(RTA_DATA(attribute), data, size);
    header()->nlmsg_len = static_cast<std::uint32_t>(NLMSG_ALIGN(header()->nlmsg_len) + RTA_ALIGN(attribute->rta_len));
  }
  void add(int type, const char* text) { add(type, text, std::strlen(text) + 1); }
  void add(int type, std::uint32_t value) { add(type, &value, sizeof value); }

  char* begin(int type) {
    char* at = end();
    add(type, nullptr, 0);
    return at;
  }
  void end(char* nest) { reinterpret_cast<rtattr*>(nest)->rta_len = static_cast<std::uint16_t>(end() - nest); }
  // Space for a structure without an attribute header (the peer's ifinfomsg).
  void raw(const void* data, std::size_t size) {
    std::memcpy(end(), data, size);
    header()->nlmsg_len += static_cast<std::uint32_t>(NLMSG_ALIGN(size));
  }

  nlmsghdr* header() { return reinterpret_cast<nlmsghdr*>(buffer_); }

 private:
  char* end() { return buffer_ + NLMSG_ALIGN(header()->nlmsg_len); }
  alignas(nlmsghdr) char buffer_[1024] = {};
};

int open_socket() {
  return static_cast<int>(must(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), "socket(AF_NETLINK)"));
}

// Sends and waits for the kernel's answer; `tolerated` is an errno that is fine.
void ask(int fd, Message& message, const char* what, int tolerated = 0) {
  must(send(fd, message.header(), message.header()->nlmsg_len, 0), what);
  alignas(nlmsghdr) char answer[1024];
  must(recv(fd, answer, sizeof answer, 0), what);
  const auto* error = static_cast<const nlmsgerr*>(NLMSG_DATA(reinterpret_cast<nlmsghdr*>(answer)));
  if (error->error == 0 || -error->error == tolerated) return;
  errno = -error->error;
  die(what);
}

ifinfomsg link_body(unsigned index, bool up) {
  ifinfomsg body{};
  body.ifi_family = AF_UNSPEC;
  body.ifi_index = static_cast<int>(index);
  body.ifi_flags = body.ifi_change = up ? unsigned{IFF_UP} : 0U;
  return body;
}

void link_up(int fd, unsigned index) {
  const ifinfomsg body = link_body(index, true);
  Message message(RTM_NEWLINK, 0, &body, sizeof body);
  ask(fd, message, "link up");
}

void add_address(int fd, unsigned index, const char* address, int tolerated) {
  in_addr v4{};
  if (inet_pton(AF_INET, address, &v4) != 1) die("address");
  ifaddrmsg body{};
  body.ifa_family = AF_INET;
  body.ifa_prefixlen = 24;
  body.ifa_index = index;
  Message message(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &body, sizeof body);
  message.add(IFA_LOCAL, &v4, sizeof v4);
  message.add(IFA_ADDRESS, &v4, sizeof v4);
  ask(fd, message, "address add", tolerated);
}

void add_default_route(int fd, unsigned index, const char* gateway) {
  in_addr v4{};
  if (inet_pton(AF_INET, gateway, &v4) != 1) die("gateway");
  rtmsg body{};
  body.rtm_family = AF_INET;
  body.rtm_table = RT_TABLE_MAIN;
  body.rtm_protocol = RTPROT_BOOT;
  body.rtm_scope = RT_SCOPE_UNIVERSE;
  body.rtm_type = RTN_UNICAST;
  Message message(RTM_NEWROUTE, NLM_F_CREATE, &body, sizeof body);
  message.add(RTA_GATEWAY, &v4, sizeof v4);
  message.add(RTA_OIF, index);
  ask(fd, message, "route add");
}

}  // namespace

void make_bridge(const char* name, const char* address) {
  const int fd = open_socket();
  const ifinfomsg body = link_body(0, true);
  Message message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &body, sizeof body);
  message.add(IFLA_IFNAME, name);
  char* info = message.begin(IFLA_LINKINFO);
  message.add(IFLA_INFO_KIND, "bridge");
  message.end(info);
  ask(fd, message, "bridge add", EEXIST);
  const unsigned index = if_nametoindex(name);
  if (index == 0) die("bridge index");
  add_address(fd, index, address, EEXIST);
  link_up(fd, index);
  close(fd);
}

void make_veth(const char* name, unsigned bridge, int pid) {
  const int fd = open_socket();
  const ifinfomsg body = link_body(0, true);
  Message message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &body, sizeof body);
  message.add(IFLA_IFNAME, name);
  message.add(IFLA_MASTER, bridge);
  char* info = message.begin(IFLA_LINKINFO);
  message.add(IFLA_INFO_KIND, "veth");
  char* data = message.begin(IFLA_INFO_DATA);
  char* peer = message.begin(VETH_INFO_PEER);
  const ifinfomsg peer_body = link_body(0, false);
  message.raw(&peer_body, sizeof peer_body);
  message.add(IFLA_IFNAME, "eth0");
  message.add(IFLA_NET_NS_PID, static_cast<std::uint32_t>(pid));
  message.end(peer);
  message.end(data);
  message.end(info);
  ask(fd, message, "veth add");
  close(fd);
}

void configure_inside(const char* address, const char* gateway) {
  const int fd = open_socket();
  link_up(fd, 1);  // lo is number 1 in a new network namespace
  const unsigned index = if_nametoindex("eth0");
  if (index == 0) die("eth0");
  add_address(fd, index, address, 0);
  link_up(fd, index);
  add_default_route(fd, index, gateway);
  close(fd);
}

}  // namespace drydock::bench
