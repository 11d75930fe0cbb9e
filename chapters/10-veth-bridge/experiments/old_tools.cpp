// ifconfig and brctl: the calls behind them, and what they cannot show.
#include <linux/if_bridge.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <array>
#include <string>
#include <vector>

#include <drydock/kernel/raw.hpp>

#include "experiments.hpp"
#include "kinds.hpp"
#include "machine.hpp"
#include "shared/traffic.hpp"
#include "shared/wire.hpp"

namespace drydock::chapter::veth_bridge {

namespace {

// `brctl addif BRIDGE NAME`.
Outcome add_to_bridge(const std::string& bridge, const std::string& name) {
  ifreq request{};
  bridge.copy(request.ifr_name, IFNAMSIZ - 1);
  request.ifr_ifindex = index_of(name);
  return {raw::call(SYS_ioctl, socket_of(AF_INET, SOCK_DGRAM).get(), SIOCBRADDIF, &request)};
}

// `ifconfig` without -a asks SIOCGIFCONF for what has an IPv4 address.
std::string links_with_addresses() {
  std::array<ifreq, 16> found{};
  ifconf request{};
  request.ifc_len = sizeof found;
  request.ifc_req = found.data();
  raw::call(SYS_ioctl, socket_of(AF_INET, SOCK_DGRAM).get(), SIOCGIFCONF, &request);
  std::vector<std::string> names;
  for (std::size_t i = 0; i < static_cast<std::size_t>(request.ifc_len) / sizeof(ifreq); ++i)
    names.emplace_back(found[i].ifr_name);
  return joined(std::move(names));
}

std::string details(const std::string& name) {
  const network::Link link = link_named(name);
  return link.kind + (link.master == index_of("docker0") ? ", a port of docker0" : "") +
         (link.peer_namespace ? ", its peer is in another namespace" : "");
}

}  // namespace

void old_tools(Narrator& tell) {
  tell.step("a host as in the notes' ifconfig: docker0, eth0, lo, and the cable of one container");
  const World world;
  const Machine host(world), outside(world), container(world), second(world);
  make_bridge(host, "docker0", "172.17.0.1", 16);
  cable({.machine = host, .link = "eth0", .address = "198.51.100.1"},
        {.machine = outside, .link = "eth0", .address = "198.51.100.7"});
  cable({.machine = host, .link = "veth1", .bridge = "docker0"},
        {.machine = container, .link = "eth0", .address = "172.17.0.2", .prefix = 16});
  tell.show("addresses", host.at(addresses), is("127.0.0.1/8 172.17.0.1/16 198.51.100.1/24"));
  tell.show("IPv4 addresses of veth1", host.at([] { return addresses_of("veth1"); }), is("none"));
  tell.step("ioctl SIOCGIFCONF, which ifconfig is made of, beside RTM_GETLINK of ip(8)");
  tell.show("SIOCGIFCONF", host.at(links_with_addresses), is("docker0 eth0 lo"));
  tell.show("RTM_GETLINK", host.at(names_of_links), is("docker0 eth0 lo veth1"));
  tell.show("what RTM_GETLINK says of veth1", host.at([] { return details("veth1"); }),
            is("veth, a port of docker0, its peer is in another namespace"));
  tell.step("brctl addif docker0 veth2 (SIOCBRADDIF); ip link set veth3 master docker0 (IFLA_MASTER)");
  must("veth2", host.at(create_pair("veth2", "veth3")));
  tell.show("SIOCBRADDIF", host.at([] { return add_to_bridge("docker0", "veth2"); }), is("it succeeds"));
  tell.show("IFLA_MASTER", host.at([] { return sent(plug("veth3", "docker0")); }), is("it succeeds"));
  tell.show("ports of docker0", host.at([] { return ports_of("docker0"); }), is("veth1 veth2 veth3"));
  tell.result("the old calls still work, and tell less: no kind, no bridge, no peer, and no link without an address.");
}

}  // namespace drydock::chapter::veth_bridge
