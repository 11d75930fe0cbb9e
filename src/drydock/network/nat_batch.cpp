#include <drydock/network/nat_batch.hpp>

#include <arpa/inet.h>  // before the kernel's linux/in.h, which it then keeps quiet
#include <libmnl/libmnl.h>
#include <libnftnl/chain.h>
#include <libnftnl/common.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <libnftnl/table.h>
#include <libnftnl/udata.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/rtnetlink.h>

#include <array>
#include <new>

namespace drydock::network {

namespace {

// libnftnl reports nothing but a lack of memory.
template <typename T>
T* made(T* object) {
  if (object == nullptr) throw std::bad_alloc();
  return object;
}

// Bits of `ct state`, as nft(8) numbers them: 1 << (enum ip_conntrack_info + 1), and 1 for invalid.
constexpr std::uint32_t state_invalid = 1;
constexpr std::uint32_t state_new = 1u << (IP_CT_NEW + 1);

}  // namespace

void Rule::Free::operator()(nftnl_rule* rule) const {
  nftnl_rule_free(rule);
}

Rule::Rule() : rule_(made(nftnl_rule_alloc())) {
  nftnl_rule_set_u32(rule_.get(), NFTNL_RULE_FAMILY, NFPROTO_IPV4);
}

nftnl_expr* Rule::add(const char* name) {
  nftnl_expr* expression = made(nftnl_expr_alloc(name));
  nftnl_rule_add_expr(rule_.get(), expression);
  return expression;
}

void Rule::compare(Cmp how, const void* data, std::uint32_t size) {
  nftnl_expr* e = add("cmp");
  nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_SREG, NFT_REG_1);
  nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_OP, how == Cmp::equal ? NFT_CMP_EQ : NFT_CMP_NEQ);
  nftnl_expr_set(e, NFTNL_EXPR_CMP_DATA, data, size);
}

void Rule::mask_bits(std::uint32_t bits) {
  constexpr std::uint32_t nothing = 0;
  nftnl_expr* e = add("bitwise");
  nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_SREG, NFT_REG_1);
  nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_DREG, NFT_REG_1);
  nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_OP, NFT_BITWISE_BOOL);
  nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_LEN, sizeof bits);
  nftnl_expr_set(e, NFTNL_EXPR_BITWISE_MASK, &bits, sizeof bits);
  nftnl_expr_set(e, NFTNL_EXPR_BITWISE_XOR, &nothing, sizeof nothing);
}

void Rule::interface(std::uint32_t key, Cmp how, const std::string& name) {
  nftnl_expr* e = add("meta");
  nftnl_expr_set_u32(e, NFTNL_EXPR_META_KEY, key);
  nftnl_expr_set_u32(e, NFTNL_EXPR_META_DREG, NFT_REG_1);
  // All 16 bytes: a shorter comparison would match every name that begins so (drydock0 and drydock01).
  std::array<char, 16> padded{};
  name.copy(padded.data(), padded.size() - 1);
  compare(how, padded.data(), padded.size());
}

Rule& Rule::in_interface(Cmp how, const std::string& name) {
  interface(NFT_META_IIFNAME, how, name);
  return *this;
}

Rule& Rule::out_interface(Cmp how, const std::string& name) {
  interface(NFT_META_OIFNAME, how, name);
  return *this;
}

void Rule::header_field(Cmp how, std::uint32_t offset, const Subnet& subnet) {
  nftnl_expr* e = add("payload");
  nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_BASE, NFT_PAYLOAD_NETWORK_HEADER);
  nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_OFFSET, offset);
  nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_LEN, 4);
  nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_DREG, NFT_REG_1);
  if (subnet.prefix < 32) mask_bits(Ipv4{subnet.mask()}.wire());
  const std::uint32_t base = Ipv4{subnet.base}.wire();
  compare(how, &base, sizeof base);
}

Rule& Rule::source(Cmp how, const Subnet& subnet) {
  header_field(how, 12, subnet);
  return *this;
}

Rule& Rule::destination(Cmp how, const Subnet& subnet) {
  header_field(how, 16, subnet);
  return *this;
}

Rule& Rule::destination_is_local() {
  nftnl_expr* e = add("fib");
  nftnl_expr_set_u32(e, NFTNL_EXPR_FIB_DREG, NFT_REG_1);
  nftnl_expr_set_u32(e, NFTNL_EXPR_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE);
  nftnl_expr_set_u32(e, NFTNL_EXPR_FIB_FLAGS, NFTA_FIB_F_DADDR);
  constexpr std::uint32_t local = RTN_LOCAL;
  compare(Cmp::equal, &local, sizeof local);
  return *this;
}

Rule& Rule::destination_port(bool udp, std::uint16_t port) {
  nftnl_expr* meta = add("meta");
  nftnl_expr_set_u32(meta, NFTNL_EXPR_META_KEY, NFT_META_L4PROTO);
  nftnl_expr_set_u32(meta, NFTNL_EXPR_META_DREG, NFT_REG_1);
  const std::uint8_t protocol = udp ? IPPROTO_UDP : IPPROTO_TCP;
  compare(Cmp::equal, &protocol, sizeof protocol);
  nftnl_expr* e = add("payload");  // TCP and UDP have their destination port at the same place
  nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_BASE, NFT_PAYLOAD_TRANSPORT_HEADER);
  nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_OFFSET, 2);
  nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_LEN, 2);
  nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_DREG, NFT_REG_1);
  const std::uint16_t wire = htons(port);
  compare(Cmp::equal, &wire, sizeof wire);
  return *this;
}

Rule& Rule::connection_new_or_invalid() {
  nftnl_expr* e = add("ct");
  nftnl_expr_set_u32(e, NFTNL_EXPR_CT_KEY, NFT_CT_STATE);
  nftnl_expr_set_u32(e, NFTNL_EXPR_CT_DREG, NFT_REG_1);
  mask_bits(state_new | state_invalid);
  constexpr std::uint32_t none = 0;
  compare(Cmp::unequal, &none, sizeof none);
  return *this;
}

Rule& Rule::translated(bool yes) {
  nftnl_expr* e = add("ct");
  nftnl_expr_set_u32(e, NFTNL_EXPR_CT_KEY, NFT_CT_STATUS);
  nftnl_expr_set_u32(e, NFTNL_EXPR_CT_DREG, NFT_REG_1);
  mask_bits(IPS_DST_NAT);
  constexpr std::uint32_t none = 0;
  compare(yes ? Cmp::unequal : Cmp::equal, &none, sizeof none);
  return *this;
}

Rule& Rule::masquerade() {
  add("masq");
  return *this;
}

Rule& Rule::translate_to(Ipv4 address, std::uint16_t port) {
  const std::uint32_t wire_address = address.wire();
  const std::uint16_t wire_port = htons(port);
  nftnl_expr* e = add("immediate");
  nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_DREG, NFT_REG_1);
  nftnl_expr_set(e, NFTNL_EXPR_IMM_DATA, &wire_address, sizeof wire_address);
  e = add("immediate");
  nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_DREG, NFT_REG_2);
  nftnl_expr_set(e, NFTNL_EXPR_IMM_DATA, &wire_port, sizeof wire_port);
  e = add("nat");
  nftnl_expr_set_u32(e, NFTNL_EXPR_NAT_TYPE, NFT_NAT_DNAT);
  nftnl_expr_set_u32(e, NFTNL_EXPR_NAT_FAMILY, NFPROTO_IPV4);
  nftnl_expr_set_u32(e, NFTNL_EXPR_NAT_REG_ADDR_MIN, NFT_REG_1);
  nftnl_expr_set_u32(e, NFTNL_EXPR_NAT_REG_PROTO_MIN, NFT_REG_2);
  nftnl_expr_set_u32(e, NFTNL_EXPR_NAT_FLAGS, NF_NAT_RANGE_MAP_IPS | NF_NAT_RANGE_PROTO_SPECIFIED);
  return *this;
}

Rule& Rule::drop() {
  nftnl_expr* e = add("immediate");
  nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
  nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_VERDICT, NF_DROP);
  return *this;
}

Batch::Batch() {
  nftnl_batch_begin(room(), 0);
  commit(reinterpret_cast<nlmsghdr*>(data_.data())->nlmsg_len);
}

// No message of ours comes near 4 KiB.
char* Batch::room() {
  data_.resize(used_ + 4096);
  return data_.data() + used_;
}

void Batch::table(const std::string& name, const std::string& comment, std::uint32_t flags) {
  const std::unique_ptr<nftnl_table, void (*)(const nftnl_table*)> table(made(nftnl_table_alloc()), nftnl_table_free);
  const std::unique_ptr<nftnl_udata_buf, void (*)(const nftnl_udata_buf*)> data(made(nftnl_udata_buf_alloc(NFT_USERDATA_MAXLEN)),
                                                                                nftnl_udata_buf_free);
  nftnl_table_set_str(table.get(), NFTNL_TABLE_NAME, name.c_str());
  nftnl_table_set_u32(table.get(), NFTNL_TABLE_FLAGS, flags);
  nftnl_udata_put_strz(data.get(), NFTNL_UDATA_TABLE_COMMENT, comment.c_str());
  nftnl_table_set_data(table.get(), NFTNL_TABLE_USERDATA, nftnl_udata_buf_data(data.get()), nftnl_udata_buf_len(data.get()));
  // One acknowledgement for the whole batch; messages that fail are answered in any case.
  nlmsghdr* header =
      nftnl_nlmsg_build_hdr(room(), NFT_MSG_NEWTABLE, NFPROTO_IPV4, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, sequence_++);
  nftnl_table_nlmsg_build_payload(header, table.get());
  commit(header->nlmsg_len);
}

void Batch::delete_table(const std::string& name) {
  const std::unique_ptr<nftnl_table, void (*)(const nftnl_table*)> table(made(nftnl_table_alloc()), nftnl_table_free);
  nftnl_table_set_str(table.get(), NFTNL_TABLE_NAME, name.c_str());
  nlmsghdr* header = nftnl_nlmsg_build_hdr(room(), NFT_MSG_DELTABLE, NFPROTO_IPV4, NLM_F_ACK, sequence_++);
  nftnl_table_nlmsg_build_payload(header, table.get());
  commit(header->nlmsg_len);
}

void Batch::chain(const std::string& table, const std::string& name, const char* type, std::uint32_t hook,
                  std::int32_t priority) {
  const std::unique_ptr<nftnl_chain, void (*)(const nftnl_chain*)> chain(made(nftnl_chain_alloc()), nftnl_chain_free);
  nftnl_chain_set_str(chain.get(), NFTNL_CHAIN_TABLE, table.c_str());
  nftnl_chain_set_str(chain.get(), NFTNL_CHAIN_NAME, name.c_str());
  nftnl_chain_set_str(chain.get(), NFTNL_CHAIN_TYPE, type);
  nftnl_chain_set_u32(chain.get(), NFTNL_CHAIN_HOOKNUM, hook);
  nftnl_chain_set_s32(chain.get(), NFTNL_CHAIN_PRIO, priority);
  nlmsghdr* header = nftnl_nlmsg_build_hdr(room(), NFT_MSG_NEWCHAIN, NFPROTO_IPV4, NLM_F_CREATE, sequence_++);
  nftnl_chain_nlmsg_build_payload(header, chain.get());
  commit(header->nlmsg_len);
}

void Batch::rule(const std::string& table, const std::string& chain, Rule& rule) {
  nftnl_rule_set_str(rule.rule_.get(), NFTNL_RULE_TABLE, table.c_str());
  nftnl_rule_set_str(rule.rule_.get(), NFTNL_RULE_CHAIN, chain.c_str());
  nlmsghdr* header = nftnl_nlmsg_build_hdr(room(), NFT_MSG_NEWRULE, NFPROTO_IPV4, NLM_F_CREATE | NLM_F_APPEND, sequence_++);
  nftnl_rule_nlmsg_build_payload(header, rule.rule_.get());
  commit(header->nlmsg_len);
}

std::string Batch::finish() {
  char* at = room();
  nftnl_batch_end(at, sequence_++);
  commit(reinterpret_cast<nlmsghdr*>(at)->nlmsg_len);
  data_.resize(used_);
  return std::move(data_);
}

}  // namespace drydock::network
