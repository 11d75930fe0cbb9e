#include "arp.hpp"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <netinet/if_ether.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <cstring>
#include <set>

#include <drydock/kernel/error.hpp>
#include <drydock/kernel/raw.hpp>
#include <drydock/kernel/sys.hpp>
#include <drydock/process/wait.hpp>

#include "shared/traffic.hpp"
#include "shared/wire.hpp"

namespace drydock::chapter::veth_bridge {

namespace {

constexpr int patience_ms = 300;

network::Mac mac_of_text(const std::string& text) {
  network::Mac mac;
  for (std::size_t i = 0; i < mac.bytes.size(); ++i)
    mac.bytes[i] = static_cast<std::uint8_t>(std::stoi(text.substr(i * 3, 2), nullptr, 16));
  return mac;
}

// A probe: nobody's address asks, so that nobody's table is changed by it.
ether_arp probe(const network::Mac& from, std::uint32_t wanted) {
  ether_arp out{};
  out.arp_hrd = htons(ARPHRD_ETHER);
  out.arp_pro = htons(ETHERTYPE_IP);
  out.arp_hln = ETH_ALEN;
  out.arp_pln = sizeof wanted;
  out.arp_op = htons(ARPOP_REQUEST);
  std::memcpy(out.arp_sha, from.bytes.data(), ETH_ALEN);
  std::memcpy(out.arp_tpa, &wanted, sizeof wanted);
  return out;
}

}  // namespace

std::size_t arp_answers(const std::string& link, const std::string& address) {
  const network::Link asker = link_named(link);
  const std::uint32_t wanted = ipv4(address).wire();
  const Fd socket = socket_of(AF_PACKET, SOCK_DGRAM, htons(ETH_P_ARP));
  sockaddr_ll to{};
  to.sll_family = AF_PACKET;
  to.sll_protocol = htons(ETH_P_ARP);
  to.sll_ifindex = asker.index;
  to.sll_halen = ETH_ALEN;
  std::memset(to.sll_addr, 0xff, ETH_ALEN);
  const ether_arp question = probe(mac_of_text(asker.mac), wanted);
  if (const long out = raw::call(SYS_sendto, socket.get(), &question, sizeof question, 0, &to, sizeof to); raw::failed(out))
    throw Error::from_errno("sendto", "ARP on " + link, raw::error_of(out));
  std::set<std::string> who;
  const std::uint64_t deadline = sys::monotonic_ns() + std::uint64_t{patience_ms} * 1'000'000;
  while (sys::monotonic_ns() < deadline && process::wait_readable(socket.get(), patience_ms)) {
    ether_arp answer{};
    if (raw::call(SYS_read, socket.get(), &answer, sizeof answer) < static_cast<long>(sizeof answer)) continue;
    if (answer.arp_op == htons(ARPOP_REPLY) && std::memcmp(answer.arp_spa, &wanted, sizeof wanted) == 0)
      who.emplace(reinterpret_cast<const char*>(answer.arp_sha), ETH_ALEN);
  }
  return who.size();
}

}  // namespace drydock::chapter::veth_bridge
