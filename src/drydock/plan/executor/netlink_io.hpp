// Sending prepared netlink messages from a process that may not allocate: the executor's half of network/.
//
// The messages were built by the library (network/messages.hpp, network/nat.hpp); here they are only patched, sent and their
// acknowledgements read. The kernel works on a request inside sendmsg, so every answer is queued when sendmsg returns: the
// receiving side never blocks.
//
// Example: long fd = netlink_socket(NETLINK_ROUTE); char text[128];
//          long result = netlink_transaction(fd, message, length, text, sizeof text);   // 0 or -errno, text = the kernel's words
// Source: netlink(7), rtnetlink(7); kernel documentation userspace-api/netlink/intro.rst, "Ext ACK".
#pragma once

#include <cstddef>
#include <cstdint>

namespace drydock::plan::executor {

// socket(AF_NETLINK, SOCK_RAW|SOCK_CLOEXEC, protocol) with NETLINK_EXT_ACK and NETLINK_CAP_ACK on. A descriptor or -errno.
long netlink_socket(int protocol) noexcept;

// Writes `value` (32 bits, host order) at `offset` of a message; false when it does not fit.
bool netlink_patch(void* message, std::size_t length, std::size_t offset, std::uint32_t value) noexcept;

// Sends one message or a batch (messages back to back, for nftables between BATCH_BEGIN and BATCH_END) and reads all answers.
// Returns 0, or -errno of the first message that failed; `error_text` gets what the kernel said ("" if nothing), cut to fit.
// -EPROTO: a message that asked for an acknowledgement got none.
long netlink_transaction(int fd, void* message, std::size_t length, char* error_text, std::size_t error_capacity) noexcept;

// 1 when the network namespace of the socket `fd` has a link `name`, 0 when not, or -errno. The socket ends up bound to that
// link: it must not be used for packets. Unlike SIOCGIFINDEX this asks nobody else: for a name that is not there the ioctl
// starts modprobe("netdev-NAME"), which takes milliseconds on every kernel with modules.
long link_present(int fd, const char* name) noexcept;

// The index of the link `name` in the network namespace of the socket `fd` (any socket), or -errno (-ENODEV: no such link).
long link_index(int fd, const char* name) noexcept;

// RTM_DELLINK of `name` if its index is still `index` (0: whatever it is). 0 also when it is already gone.
long delete_link(int fd, const char* name, long index, char* error_text, std::size_t error_capacity) noexcept;

}  // namespace drydock::plan::executor
