#include <drydock/network/messages.hpp>

#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <sys/socket.h>

#include <drydock/network/message_builder.hpp>

namespace drydock::network {

Message create_bridge(const std::string& name, Mac mac) {
  MessageBuilder message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
  message.extra<ifinfomsg>().ifi_family = AF_UNSPEC;
  message.text(IFLA_IFNAME, name);
  // A bridge without an address of its own takes the lowest of its ports', and changes it with every container.
  message.raw(IFLA_ADDRESS, mac.bytes.data(), mac.bytes.size());
  nlattr* info = message.begin(IFLA_LINKINFO);
  message.text(IFLA_INFO_KIND, "bridge");
  message.end(info);
  return message.finish("RTM_NEWLINK " + name + " type bridge address " + mac.text());
}

Message create_veth(const Veth& veth) {
  MessageBuilder message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
  auto& link = message.extra<ifinfomsg>();
  link.ifi_family = AF_UNSPEC;
  link.ifi_flags = link.ifi_change = IFF_UP;
  message.text(IFLA_IFNAME, veth.host_name);
  if (veth.bridge.slot.valid() || veth.bridge.constant != 0) message.number(IFLA_MASTER, veth.bridge);
  if (veth.mtu != 0) message.number(IFLA_MTU, veth.mtu);
  nlattr* info = message.begin(IFLA_LINKINFO);
  message.text(IFLA_INFO_KIND, "veth");
  nlattr* data = message.begin(IFLA_INFO_DATA);
  nlattr* peer = message.begin(VETH_INFO_PEER);
  message.extra<ifinfomsg>().ifi_family = AF_UNSPEC;
  message.text(IFLA_IFNAME, veth.peer_name);
  message.number(IFLA_NET_NS_PID, veth.peer_pid);
  message.raw(IFLA_ADDRESS, veth.peer_mac.bytes.data(), veth.peer_mac.bytes.size());
  if (veth.mtu != 0) message.number(IFLA_MTU, veth.mtu);
  message.end(peer);
  message.end(data);
  message.end(info);
  const std::string master = veth.bridge_name.empty() ? "" : " master " + veth.bridge_name;
  return message.finish("RTM_NEWLINK " + veth.host_name + " type veth" + master + " up, peer " + veth.peer_name + " address " +
                        veth.peer_mac.text() + " in netns of <child>");
}

Message link_up(const std::string& name) {
  MessageBuilder message(RTM_NEWLINK, 0);
  auto& link = message.extra<ifinfomsg>();
  link.ifi_family = AF_UNSPEC;
  link.ifi_flags = link.ifi_change = IFF_UP;
  message.text(IFLA_IFNAME, name);
  return message.finish("RTM_NEWLINK " + name + " up");
}

Message add_address(Value link, const std::string& shown_link, Ipv4 address, int prefix) {
  MessageBuilder message(RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE);
  auto& head = message.extra<ifaddrmsg>();
  head.ifa_family = AF_INET;
  head.ifa_prefixlen = static_cast<std::uint8_t>(prefix);
  head.ifa_scope = RT_SCOPE_UNIVERSE;
  head.ifa_index = link.constant;
  message.patch_at(&head.ifa_index, link.slot);
  const std::uint32_t all_ones = prefix >= 32 ? 0 : ~std::uint32_t{0} >> prefix;
  message.number(IFA_LOCAL, address.wire());
  message.number(IFA_ADDRESS, address.wire());
  message.number(IFA_BROADCAST, Ipv4{address.value | all_ones}.wire());
  return message.finish("RTM_NEWADDR " + address.text() + "/" + std::to_string(prefix) + " dev " + shown_link);
}

Message add_default_route(Ipv4 gateway) {
  MessageBuilder message(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL);
  auto& head = message.extra<rtmsg>();
  head.rtm_family = AF_INET;
  head.rtm_table = RT_TABLE_MAIN;
  head.rtm_protocol = RTPROT_BOOT;
  head.rtm_scope = RT_SCOPE_UNIVERSE;
  head.rtm_type = RTN_UNICAST;
  message.number(RTA_GATEWAY, gateway.wire());
  return message.finish("RTM_NEWROUTE default via " + gateway.text());
}

Message delete_link(const std::string& name) {
  MessageBuilder message(RTM_DELLINK, 0);
  message.extra<ifinfomsg>().ifi_family = AF_UNSPEC;
  message.text(IFLA_IFNAME, name);
  return message.finish("RTM_DELLINK " + name);
}

}  // namespace drydock::network
