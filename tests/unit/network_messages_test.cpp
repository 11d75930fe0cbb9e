// Golden bytes: what a message holds is compared with what rtnetlink(7) says, attribute by attribute, not with our own parser.
#include <drydock/network/messages.hpp>

#include <cstdint>
#include <string>

#include <fmt/format.h>

#include <drydock/kernel/error.hpp>
#include <drydock/network/nat.hpp>

#include "support/catch.hpp"

using namespace drydock;
using namespace drydock::network;

namespace {

std::string hex(const std::string& data) {
  std::string text;
  for (const char c : data) text += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return text;
}

// What an expected message is written as: blanks are for the reader.
std::string bytes(std::string text) {
  std::erase(text, ' ');
  return text;
}

std::uint32_t word(const std::string& data, std::size_t offset) {
  return static_cast<unsigned char>(data.at(offset)) |
         static_cast<std::uint32_t>(static_cast<unsigned char>(data.at(offset + 1))) << 8 |
         static_cast<std::uint32_t>(static_cast<unsigned char>(data.at(offset + 2))) << 16 |
         static_cast<std::uint32_t>(static_cast<unsigned char>(data.at(offset + 3))) << 24;
}

// Messages of a batch, by their length fields.
int messages_in(const std::string& batch) {
  int count = 0;
  for (std::size_t at = 0; at < batch.size(); at += (word(batch, at) + 3) & ~3u) ++count;
  return count;
}

}  // namespace

TEST_CASE("link up is 44 bytes that set one flag", "[network]") {
  const Message message = link_up("eth0");
  CHECK(hex(message.bytes.data) ==
        bytes("2c000000 1000 0500 01000000 00000000"  // nlmsghdr: length 44, RTM_NEWLINK, REQUEST|ACK, seq, pid
              "00000000 00000000 01000000 01000000"   // ifinfomsg: AF_UNSPEC, index 0, IFF_UP, change IFF_UP
              "0900 0300 65746830 00000000"));        // IFLA_IFNAME "eth0"
  CHECK(message.bytes.shown == "RTM_NEWLINK eth0 up");
  CHECK(message.patches.empty());
}

TEST_CASE("the bridge brings its own MAC, and an existing link of the name is left alone", "[network]") {
  const Message message = create_bridge("drydock0", mac_of(*Ipv4::parse("172.29.0.1")));
  CHECK(hex(message.bytes.data) ==
        bytes("4c000000 1000 0506 01000000 00000000"                                     // REQUEST|ACK|CREATE|EXCL
              "00000000 00000000 00000000 00000000 0d00 0300 647279646f636b30 00000000"  // IFLA_IFNAME "drydock0"
              "0a00 0100 02ddac1d0001 0000"                                              // IFLA_ADDRESS
              "1000 1280"                                                                // IFLA_LINKINFO, nested
              "0b00 0100 62726964676500 00"));                                           // IFLA_INFO_KIND "bridge"
}

TEST_CASE("an address is added to the link that a slot names", "[network]") {
  const plan::Slot eth0{7};
  const Message message = add_address(eth0, "eth0", *Ipv4::parse("172.29.0.2"), 16);
  CHECK(hex(message.bytes.data) == bytes("30000000 1400 0505 01000000 00000000"  // RTM_NEWADDR, REQUEST|ACK|CREATE|REPLACE
                                         "02 10 00 00 00000000"                  // AF_INET, /16, index to be patched
                                         "0800 0200 ac1d0002"                    // IFA_LOCAL
                                         "0800 0100 ac1d0002"                    // IFA_ADDRESS
                                         "0800 0400 ac1dffff"));                 // IFA_BROADCAST
  REQUIRE(message.patches.size() == 1);
  CHECK(message.patches[0].offset == 20);
  CHECK(message.patches[0].slot == eth0);
  CHECK(message.bytes.shown == "RTM_NEWADDR 172.29.0.2/16 dev eth0");
}

TEST_CASE("the default route goes by the gateway", "[network]") {
  CHECK(hex(add_default_route(*Ipv4::parse("172.29.0.1")).bytes.data) ==
        bytes("24000000 1800 0506 01000000 00000000 02 00 00 00 fe 03 00 01 00000000"  // AF_INET, table main, RTPROT_BOOT,
                                                                                       // universe, unicast
              "0800 0500 ac1d0001"));                                                  // RTA_GATEWAY
}

TEST_CASE("both ends of a veth pair are born where they stay, in one message", "[network]") {
  const plan::Slot bridge{3}, child{5};
  Veth veth;
  veth.host_name = "drydock7f3a0001";
  veth.bridge_name = "drydock0";
  veth.bridge = bridge;
  veth.peer_pid = child;
  veth.peer_mac = mac_of(*Ipv4::parse("172.29.0.2"));
  const Message message = create_veth(veth);
  CHECK(hex(message.bytes.data) ==
        bytes("84000000 1000 0506 01000000 00000000 00000000 00000000 01000000 01000000"  // the host's end is up from birth
              "1400 0300 647279646f636b3766336130 30303100"                               // IFLA_IFNAME
              "0800 0a00 00000000"                                                        // IFLA_MASTER, patched
              "4800 1280"                                                                 // IFLA_LINKINFO, nested
              "0900 0100 7665746800 000000"                                               // IFLA_INFO_KIND "veth"
              "3800 0280"                                                                 // IFLA_INFO_DATA
              "3400 0180"                                                                 // VETH_INFO_PEER
              "00000000 00000000 00000000 00000000"                                       // ifinfomsg of the peer
              "0900 0300 6574683000 000000"                                               // IFLA_IFNAME "eth0"
              "0800 1300 00000000"                                                        // IFLA_NET_NS_PID, patched
              "0a00 0100 02ddac1d0002 0000"));                                            // IFLA_ADDRESS
  REQUIRE(message.patches.size() == 2);
  CHECK(message.patches[0].slot == bridge);
  CHECK(word(message.bytes.data, message.patches[0].offset - 4) == 0x000a0008);
  CHECK(message.patches[1].slot == child);
  CHECK(word(message.bytes.data, message.patches[1].offset - 4) == 0x00130008);
  CHECK(message.bytes.shown ==
        "RTM_NEWLINK drydock7f3a0001 type veth master drydock0 up, peer eth0 address 02:dd:ac:1d:00:02 in netns of <child>");
}

TEST_CASE("an index that is known needs no patch", "[network]") {
  Veth veth;
  veth.host_name = "drydock1";
  veth.bridge = 12;
  const Message message = create_veth(veth);
  CHECK(message.patches.empty());
  CHECK(hex(message.bytes.data)
            .find("08000a00"
                  "0c000000") != std::string::npos);
}

TEST_CASE("messages are pure: the same input gives the same bytes", "[network]") {
  const BridgeConfig config;
  CHECK(nat_table(config).bytes.data == nat_table(config).bytes.data);
  CHECK(create_bridge("a", {}).bytes.data == create_bridge("a", {}).bytes.data);
}

TEST_CASE("the NAT batch is begin, table, two chains with a rule each, end", "[network]") {
  const Message message = nat_table(BridgeConfig{});
  CHECK(messages_in(message.bytes.data) == 7);
  CHECK(messages_in(nat_table(BridgeConfig{}, true).bytes.data) == 8);
  CHECK(word(message.bytes.data, 0) == 20);
  CHECK((word(message.bytes.data, 4) & 0xffff) == 0x10);  // NFNL_MSG_BATCH_BEGIN
  CHECK(message.bytes.data.find("masq") != std::string::npos);
  CHECK(message.bytes.shown.find("172.29.0.0/16") != std::string::npos);
}

TEST_CASE("loopback and IPv6 ports are not translated, the others are, in two chains", "[network]") {
  const std::vector<PublishedPort> ports = {
      {"", 8080, 80, false}, {"127.0.0.1", 8081, 80, false}, {"::1", 8082, 80, false}, {"10.0.0.5", 53, 53, true}};
  CHECK(translatable(ports[0]));
  CHECK_FALSE(translatable(ports[1]));
  CHECK_FALSE(translatable(ports[2]));
  CHECK(translatable(ports[3]));
  const Message message = publish_table("7f3a", BridgeConfig{}, *Ipv4::parse("172.29.0.2"), ports);
  // begin, table, three chains, two rules for each of two ports, the hairpin rule, end
  CHECK(messages_in(message.bytes.data) == 1 + 1 + 3 + 4 + 1 + 1);
  CHECK(message.bytes.shown == "NFT_MSG_NEWTABLE ip drydock-7f3a: 8080 -> 172.29.0.2:80/tcp, 10.0.0.5:53 -> 172.29.0.2:53/udp");
}

TEST_CASE("subnets are read strictly", "[network]") {
  const Subnet subnet = Subnet::parse("172.29.0.0/16");
  CHECK(subnet == BridgeConfig{}.subnet);
  CHECK(subnet.text() == "172.29.0.0/16");
  CHECK(subnet.contains(*Ipv4::parse("172.29.255.255")));
  CHECK_FALSE(subnet.contains(*Ipv4::parse("172.30.0.0")));
  CHECK(subnet.overlaps(Subnet::parse("172.0.0.0/8")));
  CHECK(Subnet::parse("172.0.0.0/8").overlaps(subnet));
  CHECK_FALSE(subnet.overlaps(Subnet::parse("10.0.0.0/8")));
  for (const char* bad :
       {"", "172.29.0.0", "172.29.0.1/16", "172.29.0.0/", "172.29.0.0/16x", "172.29.0.0/30", "172.29.0.0/-1", "a/16", "1.2.3/8"})
    CHECK_THROWS_AS(Subnet::parse(bad), Error);
}

TEST_CASE("names of links fit into what the kernel allows", "[network]") {
  CHECK(veth_name("7f3a00112233445566778899").size() == 15);
  CHECK(veth_name("7f3a001122") == "drydock7f3a0011");
}
