#include <drydock/network/nat.hpp>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter_ipv4.h>

#include <algorithm>

#include <drydock/network/nat_batch.hpp>

namespace drydock::network {

namespace {

constexpr const char* shared_table = "drydock";
const Subnet loopback{0x7f000000, 8};

std::string table_of(const std::string& id) {
  return "drydock-" + id;
}

Subnet just(Ipv4 address) {
  return Subnet{address.value, 32};
}

void publish_rule(Batch& batch, const std::string& table, Rule rule, const char* chain, Ipv4 container,
                  const PublishedPort& port) {
  rule.destination_is_local();
  const auto host = Ipv4::parse(port.host_address);
  if (host && host->value != 0)
    rule.destination(Cmp::equal, just(*host));
  else
    rule.destination(Cmp::unequal, loopback);
  rule.destination_port(port.udp, port.host_port).translate_to(container, port.container_port);
  batch.rule(table, chain, rule);
}

std::string shown_ports(const std::vector<PublishedPort>& ports, Ipv4 container) {
  std::string text;
  for (const PublishedPort& port : ports)
    text += (text.empty() ? "" : ", ") + (port.host_address.empty() ? "" : port.host_address + ":") +
            std::to_string(port.host_port) + " -> " + container.text() + ":" + std::to_string(port.container_port) +
            (port.udp ? "/udp" : "/tcp");
  return text;
}

}  // namespace

std::string nat_mark(const BridgeConfig& config) {
  return "drydock " + config.subnet.text() + " " + config.name;
}

Message nat_table(const BridgeConfig& config, bool replace) {
  Batch batch;
  if (replace) batch.delete_table(shared_table);
  batch.table(shared_table, nat_mark(config), 0);
  batch.chain(shared_table, "postrouting", "nat", NF_INET_POST_ROUTING, NF_IP_PRI_NAT_SRC);
  Rule leaving;
  leaving.source(Cmp::equal, config.subnet).out_interface(Cmp::unequal, config.name).masquerade();
  batch.rule(shared_table, "postrouting", leaving);
  batch.chain(shared_table, "forward", "filter", NF_INET_FORWARD, NF_IP_PRI_FILTER);
  Rule unasked;
  unasked.out_interface(Cmp::equal, config.name).in_interface(Cmp::unequal, config.name);
  unasked.connection_new_or_invalid().translated(false).drop();
  batch.rule(shared_table, "forward", unasked);
  return {{batch.finish(),
           "NFT_MSG_NEWTABLE ip drydock: masquerade " + config.subnet.text() + " leaving other than by " + config.name},
          {}};
}

Message delete_nat_table() {
  Batch batch;
  batch.delete_table(shared_table);
  return {{batch.finish(), "NFT_MSG_DELTABLE ip drydock"}, {}};
}

bool translatable(const PublishedPort& port) {
  if (port.host_address.empty()) return true;
  const auto address = Ipv4::parse(port.host_address);
  return address && !loopback.contains(*address);
}

Message publish_table(const std::string& id, const BridgeConfig& config, Ipv4 container,
                      const std::vector<PublishedPort>& ports) {
  std::vector<PublishedPort> translated;
  std::copy_if(ports.begin(), ports.end(), std::back_inserter(translated), translatable);
  const std::string table = table_of(id);
  Batch batch;
  batch.table(table, "published ports of container " + id.substr(0, 12), NFT_TABLE_F_OWNER);
  batch.chain(table, "prerouting", "nat", NF_INET_PRE_ROUTING, NF_IP_PRI_NAT_DST);
  batch.chain(table, "output", "nat", NF_INET_LOCAL_OUT, NF_IP_PRI_NAT_DST);
  batch.chain(table, "postrouting", "nat", NF_INET_POST_ROUTING, NF_IP_PRI_NAT_SRC);
  for (const PublishedPort& port : translated) {
    Rule arriving;
    if (!port.udp) arriving.in_interface(Cmp::unequal, config.name);
    publish_rule(batch, table, std::move(arriving), "prerouting", container, port);
    publish_rule(batch, table, Rule(), "output", container, port);
  }
  Rule hairpin;
  hairpin.source(Cmp::equal, config.subnet).destination(Cmp::equal, just(container)).translated(true).masquerade();
  batch.rule(table, "postrouting", hairpin);
  return {{batch.finish(), "NFT_MSG_NEWTABLE ip " + table.substr(0, 20) + ": " + shown_ports(translated, container)}, {}};
}

Message delete_publish_table(const std::string& id) {
  Batch batch;
  batch.delete_table(table_of(id));
  return {{batch.finish(), "NFT_MSG_DELTABLE ip " + table_of(id).substr(0, 20)}, {}};
}

}  // namespace drydock::network
