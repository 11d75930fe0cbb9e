#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <drydock/kernel/raw.hpp>
#include <drydock/plan/executor/listen.hpp>
#include <drydock/plan/executor/netlink_io.hpp>
#include <drydock/plan/executor/ops.hpp>
#include <drydock/plan/executor/proxy.hpp>
#include <drydock/plan/executor/text.hpp>

namespace drydock::plan::executor {

long op_netlink_open(const Context& context, const wire::WireCall& call) {
  return netlink_socket(static_cast<int>(number(context, call, 0)));
}

long op_netlink(Context& context, const wire::WireCall& call) {
  static char message[64 * 1024];
  const std::size_t length = text_length(context, call, 1);
  if (length > sizeof message) return -EMSGSIZE;
  memcpy(message, text(context, call, 1), length);
  for (int index = 2; index + 1 < call.count; index += 2) {
    const auto offset = static_cast<std::size_t>(number(context, call, index));
    const auto value = static_cast<std::uint32_t>(number(context, call, index + 1));
    if (!netlink_patch(message, length, offset, value)) return -EMSGSIZE;
  }
  return netlink_transaction(static_cast<int>(number(context, call, 0)), message, length, context.detail, sizeof context.detail);
}

long op_socket_listen(const Context& context, const wire::WireCall& call) {
  const auto integer = [&](int index) { return static_cast<int>(number(context, call, index)); };
  return listen_socket(integer(0), integer(1), text(context, call, 2), integer(3));
}

// The link dies with its network namespace; an explicit deletion (17-30 ms) is for the case that no child was born to own it.
long op_delete_link(Context& context, const wire::WireCall& call) {
  if (context.header->payload_pid != 0) return 0;
  const long socket = netlink_socket(0 /* NETLINK_ROUTE */);
  if (raw::failed(socket)) return socket;
  const long index = number(context, call, 1);
  const long result = delete_link(static_cast<int>(socket), text(context, call, 0), index > 0 ? index : 0, context.detail, sizeof context.detail);
  raw::call(SYS_close, socket);
  return result;
}

long op_proxy_loop(Context& context, const wire::WireCall& call) {
  int listeners[64], ports[64], count = 0;
  for (int index = 1; index + 1 < call.count && count < 64; index += 2) {
    if (number(context, call, index) < 0) continue;  // best effort: no IPv6 on this machine
    listeners[count] = static_cast<int>(number(context, call, index));
    ports[count++] = static_cast<int>(number(context, call, index + 1));
  }
  // The lane does not end: it lets go of everything but its listeners, and the monitor kills it.
  raw::call(SYS_close, context.to_monitor);
  return proxy_loop(listeners, count, text(context, call, 0), ports);
}

}  // namespace drydock::plan::executor
