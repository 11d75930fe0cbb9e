#include <drydock/network/links.hpp>

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <array>
#include <cstring>

#include <fmt/format.h>

#include <drydock/kernel/error.hpp>
#include <drydock/kernel/raw.hpp>

namespace drydock::network {

namespace {

template <typename Head>
std::string request(std::uint16_t type, std::uint16_t flags, std::uint8_t family, const std::string& name = {}) {
  alignas(8) std::array<char, 256> buffer{};
  nlmsghdr* header = mnl_nlmsg_put_header(buffer.data());
  header->nlmsg_type = type;
  header->nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
  header->nlmsg_seq = 1;
  *static_cast<std::uint8_t*>(mnl_nlmsg_put_extra_header(header, sizeof(Head))) = family;  // the first field of each head
  if (!name.empty()) mnl_attr_put_strz(header, IFLA_IFNAME, name.c_str());
  return {buffer.data(), header->nlmsg_len};
}

// Calls `each(type, attribute)` for the attributes from `first` to `end` (libmnl's own loop macros do not compile as C++).
template <typename Each>
void walk(const void* first, const void* end, Each each) {
  const auto* attribute = static_cast<const nlattr*>(first);
  const auto rest = [&] { return static_cast<int>(static_cast<const char*>(end) - reinterpret_cast<const char*>(attribute)); };
  for (; mnl_attr_ok(attribute, rest()); attribute = mnl_attr_next(attribute)) each(mnl_attr_get_type(attribute), attribute);
}

// The attributes of a message behind its head of `offset` bytes.
template <typename Each>
void attributes(const nlmsghdr& message, std::size_t offset, Each each) {
  walk(mnl_nlmsg_get_payload_offset(&message, offset), mnl_nlmsg_get_payload_tail(&message), each);
}

std::string hexadecimal(const nlattr* attribute) {
  const auto* bytes = static_cast<const std::uint8_t*>(mnl_attr_get_payload(attribute));
  std::string text;
  for (unsigned i = 0; i < mnl_attr_get_payload_len(attribute); ++i) text += fmt::format("{}{:02x}", i == 0 ? "" : ":", bytes[i]);
  return text;
}

std::string numeric(int family, const nlattr* attribute) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const std::size_t wanted = family == AF_INET6 ? 16 : 4;
  if (mnl_attr_get_payload_len(attribute) < wanted) return {};
  return ::inet_ntop(family, mnl_attr_get_payload(attribute), text.data(), text.size()) == nullptr ? "" : text.data();
}

void read_kind(Link& link, const nlattr* info) {
  const char* first = static_cast<const char*>(mnl_attr_get_payload(info));
  walk(first, first + mnl_attr_get_payload_len(info), [&](int type, const nlattr* attribute) {
    if (type == IFLA_INFO_KIND) link.kind = mnl_attr_get_str(attribute);
  });
}

Link parse_link(const nlmsghdr& message) {
  const auto* head = static_cast<const ifinfomsg*>(mnl_nlmsg_get_payload(&message));
  Link link;
  link.index = head->ifi_index;
  link.up = (head->ifi_flags & IFF_UP) != 0;
  link.running = (head->ifi_flags & IFF_RUNNING) != 0;
  attributes(message, sizeof *head, [&](int type, const nlattr* attribute) {
    switch (type) {
      case IFLA_IFNAME:
        link.name = mnl_attr_get_str(attribute);
        break;
      case IFLA_ADDRESS:
        link.mac = hexadecimal(attribute);
        break;
      case IFLA_IFALIAS:
        link.alias = mnl_attr_get_str(attribute);
        break;
      case IFLA_MTU:
        link.mtu = mnl_attr_get_u32(attribute);
        break;
      case IFLA_MASTER:
        link.master = static_cast<int>(mnl_attr_get_u32(attribute));
        break;
      case IFLA_LINK:
        link.peer = static_cast<int>(mnl_attr_get_u32(attribute));
        break;
      case IFLA_LINK_NETNSID:
        link.peer_namespace = static_cast<int>(mnl_attr_get_u32(attribute));
        break;
      case IFLA_LINKINFO:
        read_kind(link, attribute);
        break;
      default:
        break;
    }
  });
  return link;
}

Address parse_address(const nlmsghdr& message) {
  const auto* head = static_cast<const ifaddrmsg*>(mnl_nlmsg_get_payload(&message));
  Address address{static_cast<int>(head->ifa_index), head->ifa_family, {}, head->ifa_prefixlen};
  attributes(message, sizeof *head, [&](int type, const nlattr* attribute) {
    // IFA_LOCAL is the own address; IFA_ADDRESS is the same but on point-to-point links, and all that IPv6 has.
    if (type == IFA_LOCAL || (type == IFA_ADDRESS && address.address.empty()))
      address.address = numeric(head->ifa_family, attribute);
  });
  return address;
}

Route parse_route(const nlmsghdr& message) {
  const auto* head = static_cast<const rtmsg*>(mnl_nlmsg_get_payload(&message));
  Route route;
  route.family = head->rtm_family;
  route.table = head->rtm_table;
  route.by_kernel = head->rtm_protocol == RTPROT_KERNEL;
  route.link_down = (head->rtm_flags & RTNH_F_LINKDOWN) != 0;
  route.destination = head->rtm_dst_len == 0 ? "default" : "";
  attributes(message, sizeof *head, [&](int type, const nlattr* attribute) {
    switch (type) {
      case RTA_DST:
        route.destination = numeric(head->rtm_family, attribute) + "/" + std::to_string(head->rtm_dst_len);
        break;
      case RTA_GATEWAY:
        route.gateway = numeric(head->rtm_family, attribute);
        break;
      case RTA_OIF:
        route.link = static_cast<int>(mnl_attr_get_u32(attribute));
        break;
      case RTA_TABLE:
        route.table = mnl_attr_get_u32(attribute);
        break;
      default:
        break;
    }
  });
  return route;
}

template <typename Item>
std::vector<Item> dump(const Netlink& socket, const std::string& message, const char* shown, std::uint16_t type,
                       Item (*parse)(const nlmsghdr&)) {
  std::vector<Item> result;
  socket.ask(
      message, shown, [&] { result.clear(); },
      [&](const nlmsghdr& answer) {
        if (answer.nlmsg_type == type) result.push_back(parse(answer));
      });
  return result;
}

}  // namespace

std::vector<Link> links(const Netlink& socket) {
  return dump(socket, request<ifinfomsg>(RTM_GETLINK, NLM_F_DUMP, AF_UNSPEC), "RTM_GETLINK", RTM_NEWLINK, parse_link);
}

std::vector<Address> addresses(const Netlink& socket) {
  return dump(socket, request<ifaddrmsg>(RTM_GETADDR, NLM_F_DUMP, AF_UNSPEC), "RTM_GETADDR", RTM_NEWADDR, parse_address);
}

std::vector<Route> routes(const Netlink& socket) {
  auto all = dump(socket, request<rtmsg>(RTM_GETROUTE, NLM_F_DUMP, AF_UNSPEC), "RTM_GETROUTE", RTM_NEWROUTE, parse_route);
  std::erase_if(all, [](const Route& route) { return route.table != RT_TABLE_MAIN; });
  return all;
}

std::vector<Link> links() {
  return links(Netlink(NETLINK_ROUTE));
}

std::vector<Address> addresses() {
  return addresses(Netlink(NETLINK_ROUTE));
}

std::vector<Route> routes() {
  return routes(Netlink(NETLINK_ROUTE));
}

std::optional<Link> find_link(const Netlink& socket, const std::string& name) {
  std::optional<Link> result;
  try {
    socket.ask(
        request<ifinfomsg>(RTM_GETLINK, NLM_F_ACK, AF_UNSPEC, name), "RTM_GETLINK " + name, [&] { result.reset(); },
        [&](const nlmsghdr& answer) {
          if (answer.nlmsg_type == RTM_NEWLINK) result = parse_link(answer);
        });
  } catch (const Error& error) {
    if (error.code() != ENODEV) throw;
  }
  return result;
}

std::optional<Ipv4> first_address(const std::string& name) {
  const long fd = raw::call(SYS_socket, AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (raw::failed(fd)) throw Error::from_errno("socket", "AF_INET, SOCK_DGRAM|SOCK_CLOEXEC", raw::error_of(fd));
  const Fd socket(static_cast<int>(fd));
  ifreq request{};
  name.copy(request.ifr_name, sizeof request.ifr_name - 1);
  if (raw::failed(raw::call(SYS_ioctl, socket.get(), SIOCGIFADDR, &request))) return std::nullopt;
  sockaddr_in address;
  std::memcpy(&address, &request.ifr_addr, sizeof address);
  return Ipv4{ntohl(address.sin_addr.s_addr)};
}

}  // namespace drydock::network
