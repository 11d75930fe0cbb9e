#include <drydock/network/netlink.hpp>

#include <errno.h>
#include <linux/netlink.h>
#include <sys/syscall.h>

#include <vector>

#include <drydock/kernel/error.hpp>
#include <drydock/kernel/raw.hpp>
#include <drydock/kernel/symbols.hpp>
#include <drydock/plan/executor/netlink_io.hpp>

namespace drydock::network {

namespace {

constexpr std::size_t receive_size = 32768;  // what the kernel fills at most into one part of a dump
constexpr int dump_attempts = 16;

}  // namespace

Netlink::Netlink(int protocol) {
  const long fd = plan::executor::netlink_socket(protocol);
  if (raw::failed(fd)) {
    const std::string arguments = "AF_NETLINK, SOCK_RAW|SOCK_CLOEXEC, " + symbols::netlink_protocol(protocol);
    const bool lacks = fd == -EPROTONOSUPPORT && protocol == NETLINK_NETFILTER;
    throw Error::from_errno("socket", arguments, raw::error_of(fd),
                            lacks ? "this kernel has no nf_tables (CONFIG_NETFILTER_NETLINK, CONFIG_NF_TABLES)" : "");
  }
  fd_ = Fd(static_cast<int>(fd));
}

void Netlink::send(const plan::Bytes& message) const {
  std::string copy = message.data;
  char words[200] = {};
  const long result = plan::executor::netlink_transaction(fd_.get(), copy.data(), copy.size(), words, sizeof words);
  if (result != 0) throw Error::from_errno("netlink", message.shown, raw::error_of(result), words);
}

void Netlink::ask(const std::string& request, const std::string& shown, const std::function<void()>& begin,
                  const std::function<void(const nlmsghdr&)>& each) const {
  for (int attempt = 0; attempt < dump_attempts; ++attempt) {
    begin();
    if (ask_once(request, shown, each)) return;
  }
  throw Error::from_errno("netlink", shown, EINTR, "the answer changed each time while it was read");
}

// False when the dump was interrupted by a change (NLM_F_DUMP_INTR).
bool Netlink::ask_once(const std::string& request, const std::string& shown,
                       const std::function<void(const nlmsghdr&)>& each) const {
  const long sent = raw::call(SYS_sendto, fd_.get(), request.data(), request.size(), 0, nullptr, 0);
  if (raw::failed(sent)) throw Error::from_errno("netlink", shown, raw::error_of(sent));
  std::vector<char> buffer(receive_size);
  bool whole = true;
  for (;;) {
    const long received = raw::call(SYS_recvfrom, fd_.get(), buffer.data(), buffer.size(), 0, nullptr, nullptr);
    if (received == -EINTR) continue;
    if (raw::failed(received)) throw Error::from_errno("netlink", shown, raw::error_of(received));
    auto rest = static_cast<unsigned>(received);
    for (auto* header = reinterpret_cast<nlmsghdr*>(buffer.data()); NLMSG_OK(header, rest); header = NLMSG_NEXT(header, rest)) {
      if (header->nlmsg_flags & NLM_F_DUMP_INTR) whole = false;
      if (header->nlmsg_type == NLMSG_DONE) return whole;
      if (header->nlmsg_type == NLMSG_ERROR) {
        const int code = reinterpret_cast<const nlmsgerr*>(NLMSG_DATA(header))->error;
        if (code == 0) return whole;  // the acknowledgement behind a single answer
        throw Error::from_errno("netlink", shown, -code);
      }
      each(*header);
    }
  }
}

}  // namespace drydock::network
