// One rtnetlink message under construction. libmnl encodes; this keeps the buffer and remembers what is to be patched.
//
// Example: MessageBuilder message(RTM_NEWLINK, 0);
//          message.extra<ifinfomsg>().ifi_index = 3;
//          message.number(IFLA_MASTER, bridge);
//          Message done = message.finish("RTM_NEWLINK eth0 master drydock0");
// Source: rtnetlink(7); libmnl's examples directory.
#pragma once

#include <libmnl/libmnl.h>

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <drydock/network/messages.hpp>

namespace drydock::network {

class MessageBuilder {
 public:
  // `type` RTM_*, `flags` NLM_F_* beside request and acknowledgement.
  MessageBuilder(std::uint16_t type, std::uint16_t flags) : header_(mnl_nlmsg_put_header(buffer_.data())) {
    header_->nlmsg_type = type;
    header_->nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | NLM_F_ACK | flags);
    // The executor sends one message at a time and reads its answer at once: the number need not differ.
    header_->nlmsg_seq = 1;
  }
  MessageBuilder(const MessageBuilder&) = delete;

  // The head that follows the header: ifinfomsg, ifaddrmsg, rtmsg.
  template <typename T>
  T& extra() {
    return *static_cast<T*>(mnl_nlmsg_put_extra_header(header_, sizeof(T)));
  }
  void text(std::uint16_t type, const std::string& value) { mnl_attr_put_strz(header_, type, value.c_str()); }
  void number(std::uint16_t type, std::uint32_t value) { mnl_attr_put_u32(header_, type, value); }
  void number(std::uint16_t type, const Value& value) {
    if (value.slot.valid()) patches_.push_back({header_->nlmsg_len + MNL_ATTR_HDRLEN, value.slot});
    mnl_attr_put_u32(header_, type, value.constant);
  }
  void raw(std::uint16_t type, const void* data, std::size_t size) { mnl_attr_put(header_, type, size, data); }
  // The value of the slot goes into a field of a head.
  void patch_at(const void* field, plan::Slot slot) {
    if (slot.valid()) patches_.push_back({static_cast<std::size_t>(static_cast<const char*>(field) - buffer_.data()), slot});
  }
  nlattr* begin(std::uint16_t type) { return mnl_attr_nest_start(header_, type); }
  void end(nlattr* nest) { mnl_attr_nest_end(header_, nest); }
  // `shown` is how the printer says it.
  Message finish(std::string shown) {
    return {{std::string(buffer_.data(), header_->nlmsg_len), std::move(shown)}, std::move(patches_)};
  }

 private:
  alignas(8) std::array<char, 1024> buffer_{};
  nlmsghdr* header_;
  std::vector<plan::ops::Patch> patches_;
};

}  // namespace drydock::network
