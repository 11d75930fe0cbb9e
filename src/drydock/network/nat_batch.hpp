// Building one nftables batch with libnftnl: tables, chains and the expressions that rules are made of. For
// network/, and for experiments that show a rule which Drydock does not make.
//
// A rule is a little program: load a field into a register, compare it (no match ends the rule), and at the end a verdict.
//
// Example: Batch b; b.table("t", "comment", 0); b.chain(...); b.rule("t", "c", Rule().ip_daddr(Cmp::equal,
// address).masquerade()); Source: linux/netfilter/nf_tables.h; libnftnl's examples directory.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <drydock/network/subnet.hpp>

struct nftnl_expr;
struct nftnl_rule;

namespace drydock::network {

enum class Cmp { equal, unequal };

class Rule {
 public:
  Rule();
  Rule& in_interface(Cmp how, const std::string& name);
  Rule& out_interface(Cmp how, const std::string& name);
  Rule& source(Cmp how, const Subnet& subnet);
  Rule& destination(Cmp how, const Subnet& subnet);
  Rule& destination_is_local();  // fib daddr type local
  Rule& destination_port(bool udp, std::uint16_t port);
  Rule& connection_new_or_invalid();  // ct state new,invalid
  Rule& translated(bool yes);         // ct status & dnat
  Rule& masquerade();
  Rule& translate_to(Ipv4 address, std::uint16_t port);
  Rule& drop();

 private:
  friend class Batch;
  nftnl_expr* add(const char* name);
  void compare(Cmp how, const void* data, std::uint32_t size);
  void mask_bits(std::uint32_t bits);
  void header_field(Cmp how, std::uint32_t offset, const Subnet& subnet);
  void interface(std::uint32_t key, Cmp how, const std::string& name);
  struct Free {
    void operator()(nftnl_rule* rule) const;
  };
  std::unique_ptr<nftnl_rule, Free> rule_;
};

class Batch {
 public:
  Batch();
  void table(const std::string& name, const std::string& comment, std::uint32_t flags);
  void delete_table(const std::string& name);
  // `type` "nat" or "filter", `hook` NF_INET_*.
  void chain(const std::string& table, const std::string& name, const char* type, std::uint32_t hook, std::int32_t priority);
  void rule(const std::string& table, const std::string& chain, Rule& rule);
  // The whole batch with its end marker; the object is done then.
  std::string finish();

 private:
  char* room();
  void commit(std::uint32_t size) { used_ += size; }
  std::string data_;
  std::size_t used_ = 0;
  std::uint32_t sequence_ = 1;
};

}  // namespace drydock::network
