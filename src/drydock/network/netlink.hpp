// A netlink socket of the library: sends prepared messages, reads dumps, and passes on what the kernel says about a refusal.
//
// Example: Netlink route(NETLINK_ROUTE); route.send(create_bridge("drydock0", mac).bytes);
// Errors: Error with call "netlink", the message as it is printed, errno, and the text of the extended acknowledgement.
// Source: netlink(7); kernel documentation userspace-api/netlink/intro.rst.
#pragma once

#include <linux/netlink.h>

#include <functional>
#include <string>

#include <drydock/kernel/fd.hpp>
#include <drydock/plan/op.hpp>

namespace drydock::network {

class Netlink {
 public:
  // Throws Error when the kernel lacks the protocol (NETLINK_ROUTE, NETLINK_NETFILTER).
  explicit Netlink(int protocol);

  // Sends one message or batch and waits for its acknowledgement; nothing in it may be left to patch.
  void send(const plan::Bytes& message) const;
  // Sends a request (NLM_F_DUMP or a single get) and calls `each` for every message of the answer.
  // A dump that changed while it was read is repeated, so `begin` (called before each attempt) must forget what it has.
  void ask(const std::string& request, const std::string& shown, const std::function<void()>& begin,
           const std::function<void(const nlmsghdr&)>& each) const;
  const Fd& fd() const { return fd_; }

 private:
  bool ask_once(const std::string& request, const std::string& shown, const std::function<void(const nlmsghdr&)>& each) const;
  Fd fd_;
};

}  // namespace drydock::network
