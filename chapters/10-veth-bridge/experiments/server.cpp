#include "server.hpp"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <array>

#include <drydock/kernel/error.hpp>
#include <drydock/kernel/raw.hpp>
#include <drydock/network/subnet.hpp>
#include <drydock/process/wait.hpp>

#include "shared/traffic.hpp"
#include "shared/wire.hpp"

namespace drydock::chapter::veth_bridge {

namespace {

std::string shown(const sockaddr_in& address) {
  return network::Ipv4{ntohl(address.sin_addr.s_addr)}.text();
}

Child ready(Child server, const std::string& name, int port) {
  must("server " + name + " at port " + std::to_string(port), server.talk().line());
  return server;
}

int answer_callers(const Fd& listener, const std::string& name) {
  for (;;) {
    sockaddr_in from{};
    socklen_t size = sizeof from;
    const long accepted = raw::call(SYS_accept4, listener.get(), &from, &size, SOCK_CLOEXEC);
    if (raw::failed(accepted)) return 1;
    const Fd caller(static_cast<int>(accepted));
    const std::string words = name + " hears " + shown(from);
    raw::call(SYS_sendto, caller.get(), words.data(), words.size(), MSG_NOSIGNAL, nullptr, 0);
  }
}

int answer_datagrams(const Fd& socket, const std::string& name) {
  for (;;) {
    sockaddr_in from{};
    socklen_t size = sizeof from;
    char question[64];
    if (raw::failed(raw::call(SYS_recvfrom, socket.get(), question, sizeof question, 0, &from, &size))) return 1;
    const std::string words = name + " hears " + shown(from);
    raw::call(SYS_sendto, socket.get(), words.data(), words.size(), 0, &from, size);
  }
}

}  // namespace

Child serve(const Machine& machine, const std::string& address, int port, const std::string& name) {
  return ready(machine.process([=](Talk& talk) {
    Fd listener;
    talk.say(text(listen_on(address, port, listener, Reuse::yes)));
    return answer_callers(listener, name);
  }),
               name, port);
}

Child serve_datagrams(const Machine& machine, int port, const std::string& name) {
  return ready(machine.process([=](Talk& talk) {
    const Fd socket = socket_of(AF_INET, SOCK_DGRAM);
    const sockaddr_in here = socket_address("0.0.0.0", port);
    talk.say(text(Outcome{raw::call(SYS_bind, socket.get(), &here, sizeof here)}));
    return answer_datagrams(socket, name);
  }),
               name, port);
}

std::string ask_by_datagram(const std::string& address, int port, int timeout_ms) {
  const Fd socket = socket_of(AF_INET, SOCK_DGRAM);
  const sockaddr_in to = socket_address(address, port);
  if (const Outcome out{raw::call(SYS_sendto, socket.get(), "?", 1, 0, &to, sizeof to)}; out.failed()) return text(out);
  if (!process::wait_readable(socket.get(), timeout_ms)) return text(Outcome{-ETIMEDOUT});
  sockaddr_in from{};
  socklen_t size = sizeof from;
  std::array<char, 256> answer{};
  const long length = raw::call(SYS_recvfrom, socket.get(), answer.data(), answer.size(), 0, &from, &size);
  if (raw::failed(length)) return text(Outcome{length});
  return std::string(answer.data(), static_cast<std::size_t>(length)) + ", says " + shown(from);
}

}  // namespace drydock::chapter::veth_bridge
