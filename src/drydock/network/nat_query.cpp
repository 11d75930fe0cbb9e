#include <drydock/network/nat_query.hpp>

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <libnftnl/common.h>
#include <libnftnl/table.h>
#include <libnftnl/udata.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include <array>
#include <memory>
#include <optional>
#include <string>

#include <drydock/kernel/error.hpp>
#include <drydock/kernel/remedies.hpp>
#include <drydock/network/nat.hpp>
#include <drydock/network/netlink.hpp>

namespace drydock::network {

namespace {

using Table = std::unique_ptr<nftnl_table, void (*)(const nftnl_table*)>;

int remember_comment(const nftnl_udata* attribute, void* data) {
  if (nftnl_udata_type(attribute) == NFTNL_UDATA_TABLE_COMMENT && nftnl_udata_len(attribute) > 0)
    static_cast<std::string*>(data)->assign(static_cast<const char*>(nftnl_udata_get(attribute)),
                                            nftnl_udata_len(attribute) - 1u);
  return 0;
}

std::string comment_of(const nlmsghdr& message) {
  const Table table(nftnl_table_alloc(), nftnl_table_free);
  std::string comment;
  std::uint32_t size = 0;
  if (!table || nftnl_table_nlmsg_parse(&message, table.get()) < 0) return comment;
  if (const void* data = nftnl_table_get_data(table.get(), NFTNL_TABLE_USERDATA, &size))
    (void)nftnl_udata_parse(data, size, remember_comment, &comment);
  return comment;
}

std::string table_request() {
  alignas(8) std::array<char, 512> buffer{};
  const Table table(nftnl_table_alloc(), nftnl_table_free);
  if (!table) throw std::bad_alloc();
  nftnl_table_set_str(table.get(), NFTNL_TABLE_NAME, "drydock");
  nlmsghdr* header = nftnl_nlmsg_build_hdr(buffer.data(), NFT_MSG_GETTABLE, NFPROTO_IPV4, NLM_F_ACK, 1);
  nftnl_table_nlmsg_build_payload(header, table.get());
  return {buffer.data(), header->nlmsg_len};
}

}  // namespace

NatState nat_state(const BridgeConfig& config) {
  std::optional<std::string> comment;
  try {
    Netlink(NETLINK_NETFILTER)
        .ask(
            table_request(), "NFT_MSG_GETTABLE ip drydock", [&] { comment.reset(); },
            [&](const nlmsghdr& answer) { comment = comment_of(answer); });
  } catch (const Error& error) {
    if (error.code() == ENOENT) return NatState::absent;
    if (error.code() == EPERM) return NatState::unknown;
    // What nfnetlink answers for a subsystem that is not there.
    if (error.code() == EINVAL || error.code() == EOPNOTSUPP)
      throw Error::refused("NAT", "this kernel has no nf_tables (CONFIG_NF_TABLES, CONFIG_NF_TABLES_IPV4, CONFIG_NFT_NAT)",
                           std::string(remedies::nft_modules) + ", or use --network none or host");
    throw;
  }
  if (!comment) return NatState::absent;
  if (*comment == nat_mark(config)) return NatState::ready;
  if (comment->starts_with("drydock ")) return NatState::stale;
  throw Error::refused("nftables table ip drydock", "it exists, and Drydock did not make it",
                       "rename or delete it ('nft delete table ip drydock')");
}

}  // namespace drydock::network
