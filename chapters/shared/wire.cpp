#include "shared/wire.hpp"

#include <errno.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <vector>

#include <drydock/kernel/error.hpp>
#include <drydock/network/message_builder.hpp>

namespace drydock::chapter {

using network::MessageBuilder;
using network::Netlink;

std::string joined(std::vector<std::string> words) {
  std::sort(words.begin(), words.end());
  std::string all;
  for (const std::string& word : words) all += (all.empty() ? "" : " ") + word;
  return all.empty() ? "none" : all;
}

network::Ipv4 ipv4(const std::string& address) {
  const auto value = network::Ipv4::parse(address);
  if (!value) throw Error::refused("address " + address, "it is none");
  return *value;
}

network::Link link_named(const std::string& name) {
  return network::find_link(Netlink(NETLINK_ROUTE), name).value_or(network::Link{});
}

int index_of(const std::string& name) {
  return link_named(name).index;
}

Outcome sent(const network::Message& message, int protocol) {
  try {
    Netlink(protocol).send(message.bytes);
  } catch (const Error& error) {
    return {-error.code()};
  }
  return {0};
}

network::Message move_link(const std::string& name, pid_t pid, const std::string& new_name) {
  MessageBuilder message(RTM_NEWLINK, 0);
  message.extra<ifinfomsg>().ifi_index = index_of(name);
  if (!new_name.empty()) message.text(IFLA_IFNAME, new_name);
  message.number(IFLA_NET_NS_PID, static_cast<std::uint32_t>(pid));
  return message.finish("RTM_NEWLINK " + name + " netns of " + std::to_string(pid));
}

network::Message rename_link(const std::string& name, const std::string& new_name) {
  MessageBuilder message(RTM_NEWLINK, 0);
  message.extra<ifinfomsg>().ifi_index = index_of(name);
  message.text(IFLA_IFNAME, new_name);
  return message.finish("RTM_NEWLINK " + name + " name " + new_name);
}

network::Message link_down(const std::string& name) {
  MessageBuilder message(RTM_NEWLINK, 0);
  auto& link = message.extra<ifinfomsg>();
  link.ifi_index = index_of(name);
  link.ifi_change = IFF_UP;
  return message.finish("RTM_NEWLINK " + name + " down");
}

network::Message plug(const std::string& name, const std::string& bridge) {
  MessageBuilder message(RTM_NEWLINK, 0);
  message.extra<ifinfomsg>().ifi_index = index_of(name);
  message.number(IFLA_MASTER, index_of(bridge));
  return message.finish("RTM_NEWLINK " + name + " master " + bridge);
}

network::Message delete_route_to_all() {
  MessageBuilder message(RTM_DELROUTE, 0);
  auto& route = message.extra<rtmsg>();
  route.rtm_family = AF_INET;
  route.rtm_table = RT_TABLE_MAIN;
  route.rtm_scope = RT_SCOPE_NOWHERE;
  return message.finish("RTM_DELROUTE default");
}

Outcome give_address(const std::string& link, const std::string& address, int prefix) {
  const int index = index_of(link);
  return index != 0 ? sent(network::add_address(index, link, ipv4(address), prefix)) : Outcome{-ENODEV};
}

std::string names_of_links() {
  std::vector<std::string> names;
  for (const network::Link& link : network::links()) names.push_back(link.name);
  return joined(std::move(names));
}

bool has_link(const std::string& name) {
  return index_of(name) != 0;
}

std::string state_of(const std::string& name) {
  const network::Link link = link_named(name);
  if (link.index == 0) return "not there";
  return !link.up ? "down" : link.running ? "up" : "no carrier";
}

namespace {

template <typename Test>
std::string addresses_if(Test test) {
  std::vector<std::string> all;
  for (const network::Address& one : network::addresses())
    if (one.family == AF_INET && test(one)) all.push_back(one.address + "/" + std::to_string(one.prefix));
  return joined(std::move(all));
}

}  // namespace

std::string addresses() {
  return addresses_if([](const network::Address&) { return true; });
}

std::string addresses_of(const std::string& link) {
  return addresses_if([index = index_of(link)](const network::Address& one) { return one.link == index; });
}

std::string routes() {
  std::vector<std::string> all;
  for (const network::Route& one : network::routes())
    if (one.family == AF_INET) all.push_back(one.destination);
  return joined(std::move(all));
}

std::string gateway() {
  for (const network::Route& one : network::routes())
    if (one.family == AF_INET && one.destination == "default") return one.gateway;
  return "none";
}

std::string ports_of(const std::string& bridge) {
  std::vector<std::string> names;
  const int index = index_of(bridge);
  for (const network::Link& link : network::links())
    if (index != 0 && link.master == index) names.push_back(link.name);
  return joined(std::move(names));
}

}  // namespace drydock::chapter
