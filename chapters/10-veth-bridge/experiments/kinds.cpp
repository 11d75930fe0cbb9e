#include "kinds.hpp"

#include <arpa/inet.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <sys/socket.h>

#include <drydock/network/links.hpp>
#include <drydock/network/message_builder.hpp>

#include "machine.hpp"
#include "shared/wire.hpp"

namespace drydock::chapter::veth_bridge {

using network::MessageBuilder;

namespace {

constexpr std::uint16_t create = NLM_F_CREATE | NLM_F_EXCL;
constexpr std::uint16_t vxlan_port = 4789;

}  // namespace

Need link_kind(const std::string& kind) {
  return {"links of kind " + kind, [=] {
            MessageBuilder message(RTM_NEWLINK, create);
            message.extra<ifinfomsg>();
            nlattr* info = message.begin(IFLA_LINKINFO);
            message.text(IFLA_INFO_KIND, kind);
            message.end(info);
            const network::Message nothing_but_a_kind = message.finish("RTM_NEWLINK type " + kind);
            // A kind that is known wants more than that, or makes a link which goes with the machine.
            const std::string said = Machine(World()).at(nothing_but_a_kind);
            return said.starts_with("EOPNOTSUPP") ? "this kernel has no links of kind " + kind + "; load the module " + kind
                                                  : std::string();
          }};
}

network::Message create_pair(const std::string& name, const std::string& peer) {
  MessageBuilder message(RTM_NEWLINK, create);
  message.extra<ifinfomsg>();
  message.text(IFLA_IFNAME, name);
  nlattr* info = message.begin(IFLA_LINKINFO);
  message.text(IFLA_INFO_KIND, "veth");
  nlattr* data = message.begin(IFLA_INFO_DATA);
  nlattr* other = message.begin(VETH_INFO_PEER);
  message.extra<ifinfomsg>();
  message.text(IFLA_IFNAME, peer);
  for (nlattr* nest : {other, data, info}) message.end(nest);
  return message.finish("RTM_NEWLINK " + name + " type veth peer " + peer);
}

network::Message create_macvlan(const std::string& name, const std::string& parent, pid_t pid) {
  MessageBuilder message(RTM_NEWLINK, create);
  message.extra<ifinfomsg>();
  message.text(IFLA_IFNAME, name);
  message.number(IFLA_LINK, static_cast<std::uint32_t>(index_of(parent)));
  message.number(IFLA_NET_NS_PID, static_cast<std::uint32_t>(pid));
  nlattr* info = message.begin(IFLA_LINKINFO);
  message.text(IFLA_INFO_KIND, "macvlan");
  nlattr* data = message.begin(IFLA_INFO_DATA);
  message.number(IFLA_MACVLAN_MODE, std::uint32_t{MACVLAN_MODE_BRIDGE});
  for (nlattr* nest : {data, info}) message.end(nest);
  return message.finish("RTM_NEWLINK " + name + " type macvlan on " + parent);
}

network::Message create_vxlan(const std::string& name, std::uint32_t id, const std::string& link, const std::string& local,
                              const std::string& remote) {
  MessageBuilder message(RTM_NEWLINK, create);
  message.extra<ifinfomsg>();
  message.text(IFLA_IFNAME, name);
  nlattr* info = message.begin(IFLA_LINKINFO);
  message.text(IFLA_INFO_KIND, "vxlan");
  nlattr* data = message.begin(IFLA_INFO_DATA);
  message.number(IFLA_VXLAN_ID, id);
  message.number(IFLA_VXLAN_LINK, static_cast<std::uint32_t>(index_of(link)));  // the MTU follows from it
  message.number(IFLA_VXLAN_LOCAL, ipv4(local).wire());
  message.number(IFLA_VXLAN_GROUP, ipv4(remote).wire());
  const std::uint16_t port = htons(vxlan_port);
  message.raw(IFLA_VXLAN_PORT, &port, sizeof port);
  for (nlattr* nest : {data, info}) message.end(nest);
  return message.finish("RTM_NEWLINK " + name + " type vxlan id " + std::to_string(id) + " remote " + remote);
}

network::Message add_route(const std::string& subnet, int prefix, const std::string& gateway) {
  MessageBuilder message(RTM_NEWROUTE, create);
  auto& head = message.extra<rtmsg>();
  head.rtm_family = AF_INET;
  head.rtm_dst_len = static_cast<std::uint8_t>(prefix);
  head.rtm_table = RT_TABLE_MAIN;
  head.rtm_protocol = RTPROT_BOOT;
  head.rtm_type = RTN_UNICAST;
  message.number(RTA_DST, ipv4(subnet).wire());
  message.number(RTA_GATEWAY, ipv4(gateway).wire());
  return message.finish("RTM_NEWROUTE " + subnet + "/" + std::to_string(prefix) + " via " + gateway);
}

}  // namespace drydock::chapter::veth_bridge
