#include "wire.hpp"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include <drydock/kernel/error.hpp>
#include <drydock/kernel/raw.hpp>
#include <drydock/kernel/sys.hpp>
#include <drydock/network/links.hpp>
#include <drydock/process/wait.hpp>

namespace drydock::chapter::net {

using network::Ipv4;
using network::Netlink;

namespace {

constexpr std::uint16_t discard_port = 9;

std::string joined(std::vector<std::string> words) {
  std::sort(words.begin(), words.end());
  std::string all;
  for (const std::string& word : words) all += (all.empty() ? "" : " ") + word;
  return all.empty() ? "none" : all;
}

Ipv4 parsed(const std::string& address) {
  const auto value = Ipv4::parse(address);
  if (!value) throw Error::refused("address " + address, "it is none");
  return *value;
}

sockaddr_in socket_address(const std::string& address, int port) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_port = htons(static_cast<std::uint16_t>(port));
  out.sin_addr.s_addr = parsed(address).wire();
  return out;
}

Fd socket_of(int family, int type, int protocol = 0) {
  const long made = raw::call(SYS_socket, family, type | SOCK_CLOEXEC, protocol);
  if (raw::failed(made))
    throw Error::from_errno("socket", std::to_string(family) + ", " + std::to_string(type), raw::error_of(made));
  return Fd(static_cast<int>(made));
}

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

// A message whose builder is not part of the core, because the core never does it.
class Builder {
 public:
  Builder(std::uint16_t type) : header_(mnl_nlmsg_put_header(buffer_.data())) {
    header_->nlmsg_type = type;
    header_->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
    header_->nlmsg_seq = 1;
  }
  template <typename T>
  T& extra() {
    return *static_cast<T*>(mnl_nlmsg_put_extra_header(header_, sizeof(T)));
  }
  nlmsghdr* header() { return header_; }
  network::Message finish(std::string shown) { return {{std::string(buffer_.data(), header_->nlmsg_len), std::move(shown)}, {}}; }

 private:
  alignas(8) std::array<char, 512> buffer_{};
  nlmsghdr* header_;
};

}  // namespace

Outcome sent(const network::Message& message) {
  try {
    Netlink(NETLINK_ROUTE).send(message.bytes);
  } catch (const Error& error) {
    return {-error.code()};
  }
  return {0};
}

Outcome make_pair() {
  network::Veth veth;
  veth.host_name = "veth-a";
  veth.peer_name = "veth-b";
  veth.peer_pid = sys::getpid();
  veth.peer_mac = network::mac_of(parsed("10.99.0.2"));
  return sent(network::create_veth(veth));
}

network::Message move_link(const std::string& name, pid_t pid, const std::string& new_name) {
  Builder message(RTM_NEWLINK);
  message.extra<ifinfomsg>().ifi_index = network::find_link(Netlink(NETLINK_ROUTE), name).value_or(network::Link{}).index;
  if (!new_name.empty()) mnl_attr_put_strz(message.header(), IFLA_IFNAME, new_name.c_str());
  mnl_attr_put_u32(message.header(), IFLA_NET_NS_PID, static_cast<std::uint32_t>(pid));
  return message.finish("RTM_NEWLINK " + name + " netns of " + std::to_string(pid));
}

network::Message delete_route_to_all() {
  Builder message(RTM_DELROUTE);
  auto& route = message.extra<rtmsg>();
  route.rtm_family = AF_INET;
  route.rtm_table = RT_TABLE_MAIN;
  route.rtm_scope = RT_SCOPE_NOWHERE;
  return message.finish("RTM_DELROUTE default");
}

Outcome give_address(const std::string& link, const std::string& address) {
  const auto found = network::find_link(Netlink(NETLINK_ROUTE), link);
  return found ? sent(network::add_address(found->index, link, parsed(address), 24)) : Outcome{-ENODEV};
}

std::string names_of_links() {
  std::vector<std::string> names;
  for (const network::Link& link : network::links()) names.push_back(link.name);
  return joined(std::move(names));
}

bool has_link(const std::string& name) {
  return network::find_link(Netlink(NETLINK_ROUTE), name).has_value();
}

std::string state_of(const std::string& name) {
  const auto link = network::find_link(Netlink(NETLINK_ROUTE), name);
  if (!link) return "not there";
  return !link->up ? "down" : link->running ? "up" : "no carrier";
}

std::string addresses() {
  std::vector<std::string> all;
  for (const network::Address& one : network::addresses())
    if (one.family == AF_INET) all.push_back(one.address + "/" + std::to_string(one.prefix));
  return joined(std::move(all));
}

std::string routes() {
  std::vector<std::string> all;
  for (const network::Route& one : network::routes())
    if (one.family == AF_INET) all.push_back(one.destination);
  return joined(std::move(all));
}

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

std::string hear(int port) {
  const Fd socket = socket_of(AF_INET, SOCK_STREAM);
  const sockaddr_in to = socket_address("127.0.0.1", port);
  if (const Outcome made{raw::call(SYS_connect, socket.get(), &to, sizeof to)}; made.failed()) return text(made);
  return sys::read_all(socket);
}

namespace {

void answer_one(const Fd& listener, const std::string& name) {
  const Fd caller(static_cast<int>(raw::call(SYS_accept4, listener.get(), nullptr, nullptr, SOCK_CLOEXEC)));
  raw::call(SYS_write, caller.get(), name.data(), name.size());
}

std::string done(const std::string& verb, const std::string& first, const std::string& second) {
  if (verb == "up") return text(sent(network::link_up(first)));
  if (verb == "links") return names_of_links();
  if (verb == "state") return state_of(first);
  if (verb == "give") return text(give_address(first, second));
  if (verb == "ping") return text(ping(first));
  if (verb == "routes") return routes();
  if (verb == "via") return text(sent(network::add_default_route(parsed(first))));
  throw Error::refused("agent", "it does not know '" + verb + "'");
}

}  // namespace

int agent(Talk& talk) {
  Fd listener;
  for (std::string words = talk.line(); !words.empty(); words = talk.line()) {
    std::array<std::string, 3> word;
    for (std::size_t at = 0, n = 0; at < words.size() && n < word.size(); ++n) {
      const std::size_t end = std::min(words.find(' ', at), words.size());
      word[n] = words.substr(at, end - at);
      at = end + 1;
    }
    if (word[0] == "listen")
      talk.say(text(listen_on("0.0.0.0", std::stoi(word[1]), listener, Reuse::yes)));
    else if (word[0] == "answer")
      answer_one(listener, word[1]);
    else
      talk.say(done(word[0], word[1], word[2]));
  }
  return 0;
}

std::string ask(Child& agent, const std::string& words) {
  agent.talk().say(words);
  return agent.talk().line();
}

}  // namespace drydock::chapter::net
