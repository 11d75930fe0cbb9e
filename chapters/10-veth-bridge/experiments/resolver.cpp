#include "resolver.hpp"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <nss.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <array>

#include <drydock/kernel/raw.hpp>
#include <drydock/kernel/sys.hpp>

#include "shared/traffic.hpp"
#include "shared/wire.hpp"

namespace drydock::chapter::veth_bridge {

namespace {

constexpr int domain_port = 53;
constexpr std::size_t head_size = 12, largest = 512;
constexpr unsigned char type_a = 1;

// "3web0" becomes "web"; `end` is set behind the zero.
std::string name_in(const std::string& question, std::size_t& end) {
  std::string name;
  end = head_size;
  while (end < question.size() && question[end] != 0) {
    const auto length = static_cast<unsigned char>(question[end]);
    name += (name.empty() ? "" : ".") + question.substr(end + 1, length);
    end += 1 + length;
  }
  ++end;
  return name;
}

// The question comes back with an answer behind it, or with "no such name".
std::string answer_to(const std::string& question, const Names& names) {
  std::size_t end = 0;
  const std::string name = name_in(question, end);
  if (end + 4 > question.size()) return {};
  const bool wants_ipv4 = question[end + 1] == type_a;
  const auto found = names.find(name);
  const bool answered = found != names.end() && wants_ipv4;
  std::string reply = question.substr(0, 2) + std::string("\x81", 1) + (found == names.end() ? '\x83' : '\x80');
  reply += std::string("\0\1\0", 3) + (answered ? '\1' : '\0') + std::string(4, '\0') +
           question.substr(head_size, end + 4 - head_size);
  if (!answered) return reply;
  const std::uint32_t address = ipv4(found->second).wire();
  // The name is that of the question; type A, class IN, good for no time, four bytes.
  reply += std::string("\xc0\x0c\0\1\0\1\0\0\0\0\0\4", 12) + std::string(reinterpret_cast<const char*>(&address), sizeof address);
  return reply;
}

int answer_questions(const Fd& socket, const Names& names) {
  for (;;) {
    sockaddr_in from{};
    socklen_t size = sizeof from;
    std::array<char, largest> buffer;
    const long length = raw::call(SYS_recvfrom, socket.get(), buffer.data(), buffer.size(), 0, &from, &size);
    if (raw::failed(length)) return 1;
    const std::string reply = answer_to(std::string(buffer.data(), static_cast<std::size_t>(length)), names);
    raw::call(SYS_sendto, socket.get(), reply.data(), reply.size(), 0, &from, size);
  }
}

}  // namespace

Child serve_names(const Machine& machine, const std::string& address, const Names& names) {
  Child server = machine.process([=](Talk& talk) {
    const Fd socket = socket_of(AF_INET, SOCK_DGRAM);
    const sockaddr_in here = socket_address(address, domain_port);
    talk.say(text(Outcome{raw::call(SYS_bind, socket.get(), &here, sizeof here)}));
    return answer_questions(socket, names);
  });
  must("name server at " + address, server.talk().line());
  return server;
}

std::string address_of(const std::string& name, const NameFiles& files) {
  // In a container's user namespace a visitor from outside is nobody, and nobody may not make files. Elsewhere this changes
  // nothing.
  raw::call(SYS_setresgid, 0, 0, 0);
  raw::call(SYS_setresuid, 0, 0, 0);
  mount_for_itself("tmpfs", "/etc");
  sys::write_all(sys::open("/etc/hosts", O_WRONLY | O_CREAT, 0644), files.hosts);
  sys::write_all(sys::open("/etc/resolv.conf", O_WRONLY | O_CREAT, 0644), files.resolv_conf + "options timeout:1 attempts:2\n");
  ::__nss_configure_lookup("hosts", "files dns");
  addrinfo wanted{}, *found = nullptr;
  wanted.ai_family = AF_INET;
  if (const int error = ::getaddrinfo(name.c_str(), nullptr, &wanted, &found); error != 0) return ::gai_strerror(error);
  const network::Ipv4 address{ntohl(reinterpret_cast<const sockaddr_in*>(found->ai_addr)->sin_addr.s_addr)};
  ::freeaddrinfo(found);
  return address.text();
}

}  // namespace drydock::chapter::veth_bridge
