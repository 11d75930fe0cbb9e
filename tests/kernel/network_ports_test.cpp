// Published ports: translation, the proxy, and what is left when they end.
#include <errno.h>
#include <linux/netlink.h>
#include <sys/epoll.h>

#include <drydock/network/nat.hpp>
#include <drydock/network/ports.hpp>
#include <drydock/plan/executor/listen.hpp>
#include <drydock/plan/executor/netlink_io.hpp>
#include <drydock/plan/executor/proxy.hpp>

#include "kernel/network_world.hpp"

using namespace drydock;
using namespace drydock::network;
using namespace drydock::test;
using plan::executor::listen_socket;
using plan::executor::proxy_loop;

namespace {

// The proxy lane: listens on all addresses of both families.
Process start_proxy(int port, const char* address, int to, int type = SOCK_STREAM) {
  return Process([=] {
    const int listeners[2] = {static_cast<int>(listen_socket(AF_INET, type, "0.0.0.0", port)),
                              static_cast<int>(listen_socket(AF_INET6, type, "::", port))};
    const int ports[2] = {to, to};
    throw Error::from_errno("proxy_loop", "", static_cast<int>(-proxy_loop(listeners, 2, address, ports)));
  });
}

bool table_exists(const std::string& id) {
  Netlink socket(NETLINK_NETFILTER);
  try {
    socket.send(delete_publish_table(id).bytes);
  } catch (const Error& error) {
    return error.code() == EPERM;  // it is there, and belongs to another socket
  }
  return true;
}

}  // namespace

TEST_CASE("a published port is reached from outside, from the host, from a container and on loopback",
          "[network][N0-057][N0-059]") {
  if (sys::geteuid() != 0) DRYDOCK_SKIP("not root; run with sudo");
  on_own_host([] {
    const BridgeConfig config;
    bring_up(config);
    const Outside outside;
    const Container server(config, "7f3a0010", *Ipv4::parse("172.29.0.2"));
    const Container client(config, "7f3a0011", *Ipv4::parse("172.29.0.3"), false);
    const Process proxy = start_proxy(8080, "172.29.0.2", 80);
    const Netlink owner(NETLINK_NETFILTER);
    owner.send(publish_table("7f3a0010", config, *Ipv4::parse("172.29.0.2"), {{"", 8080, 80, false}}).bytes);

    // Translated: the server sees the real client.
    CHECK(ask_from(outside, "10.77.0.1", 8080) == "peer 10.77.0.2");
    // From the host the source is the host's own address, on whichever link.
    CHECK(ask("172.29.0.1", 8080) == "peer 172.29.0.1");
    CHECK(ask("10.77.0.1", 8080) == "peer 10.77.0.1");
    // By the proxy: loopback, IPv6, and a container that calls the host's address, even the server itself.
    REQUIRE(eventually([] { return !ask("127.0.0.1", 8080, 200).empty(); }));
    CHECK(ask_from(client, "172.29.0.1", 8080) == "peer 172.29.0.1");
    CHECK(ask_from(server, "172.29.0.1", 8080) == "peer 172.29.0.1");
    CHECK(ask("127.0.0.1", 8080) == "peer 172.29.0.1");
    CHECK(ask("127.9.9.9", 8080) == "peer 172.29.0.1");
    CHECK(ask("::1", 8080) == "peer 172.29.0.1");
    // Another port stays shut.
    CHECK(ask_from(outside, "10.77.0.1", 80, 300) == "");
  });
}

TEST_CASE("a port published on one address is not reached by another", "[network][N0-058]") {
  if (sys::geteuid() != 0) DRYDOCK_SKIP("not root; run with sudo");
  on_own_host([] {
    const BridgeConfig config;
    bring_up(config);
    const Outside outside;
    const Container server(config, "7f3a0012", *Ipv4::parse("172.29.0.2"));
    const Netlink owner(NETLINK_NETFILTER);
    owner.send(publish_table("7f3a0012", config, *Ipv4::parse("172.29.0.2"), {{"10.77.0.1", 8080, 80, false}}).bytes);
    CHECK(ask_from(outside, "10.77.0.1", 8080) == "peer 10.77.0.2");
    CHECK(ask("172.29.0.1", 8080, 300) == "");
  });
}

TEST_CASE("the table of published ports dies with the socket that made it, and nobody else can touch it", "[network]") {
  if (sys::geteuid() != 0) DRYDOCK_SKIP("not root; run with sudo");
  on_own_host([] {
    const BridgeConfig config;
    CHECK_FALSE(table_exists("7f3a0013"));
    {
      const Process monitor([&] {
        const Netlink owner(NETLINK_NETFILTER);
        owner.send(publish_table("7f3a0013", config, *Ipv4::parse("172.29.0.2"), {{"", 8080, 80, false}}).bytes);
        for (;;) ::pause();
      });
      CHECK(eventually([] { return table_exists("7f3a0013"); }));
    }  // SIGKILL
    CHECK(eventually([] { return !table_exists("7f3a0013"); }));
  });
}

TEST_CASE("a port in use is refused when listening, whichever address has it", "[network]") {
  if (sys::geteuid() != 0) DRYDOCK_SKIP("not root; run with sudo");
  on_own_host([] {
    const Fd taken(static_cast<int>(listen_socket(AF_INET, SOCK_STREAM, "127.0.0.1", 8080)));
    REQUIRE(taken);
    CHECK(listen_socket(AF_INET, SOCK_STREAM, "0.0.0.0", 8080) == -EADDRINUSE);
    const Fd six(static_cast<int>(listen_socket(AF_INET6, SOCK_STREAM, "::", 8080)));
    CHECK(six);  // IPv6 only: no conflict with the other family
    CHECK(listen_socket(AF_INET, SOCK_STREAM, "203.0.113.9", 8081) == -EADDRNOTAVAIL);
    CHECK(listen_socket(AF_INET, SOCK_STREAM, "nonsense", 8081) == -EINVAL);
    const std::uint16_t free = free_port("", false);
    const Fd listener(static_cast<int>(listen_socket(AF_INET, SOCK_STREAM, "0.0.0.0", free)));
    CHECK(listener);
  });
}

TEST_CASE("the proxy carries megabytes both ways, half-closed ends and refusals", "[network]") {
  if (sys::geteuid() != 0) DRYDOCK_SKIP("not root; run with sudo");
  on_own_host([] {
    // Reads everything until the client's end of file, then answers with the number of bytes and 3 MB of its own.
    const Process server([] {
      const Fd listener(static_cast<int>(listen_socket(AF_INET, SOCK_STREAM, "127.0.0.1", 7001)));
      ::fcntl(listener.get(), F_SETFL, 0);
      for (;;) {
        const Fd client(::accept(listener.get(), nullptr, nullptr));
        std::size_t total = 0;
        char buffer[65536];
        for (ssize_t count; (count = ::recv(client.get(), buffer, sizeof buffer, 0)) > 0;)
          total += static_cast<std::size_t>(count);
        const std::string answer = std::to_string(total) + "\n" + std::string(3'000'000, 'y');
        for (std::size_t sent = 0; sent < answer.size();) {
          const ssize_t count = ::send(client.get(), answer.data() + sent, answer.size() - sent, MSG_NOSIGNAL);
          if (count <= 0) break;
          sent += static_cast<std::size_t>(count);
        }
      }
    });
    const Process proxy = start_proxy(8080, "127.0.0.1", 7001);
    const Process broken = start_proxy(8081, "127.0.0.1", 7002);  // nobody is there

    const auto connect_to = [](int port) {
      Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
      sockaddr_in where{};
      where.sin_family = AF_INET;
      where.sin_port = htons(static_cast<std::uint16_t>(port));
      where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      REQUIRE(eventually([&] { return ::connect(fd.get(), reinterpret_cast<sockaddr*>(&where), sizeof where) == 0; }));
      return fd;
    };
    for (int round = 0; round < 3; ++round) {
      const Fd fd = connect_to(8080);
      const std::string request(5'000'000, 'x');
      for (std::size_t sent = 0; sent < request.size();) {
        const ssize_t count = ::send(fd.get(), request.data() + sent, request.size() - sent, MSG_NOSIGNAL);
        REQUIRE(count > 0);
        sent += static_cast<std::size_t>(count);
      }
      REQUIRE(::shutdown(fd.get(), SHUT_WR) == 0);
      std::string answer;
      char buffer[65536];
      for (ssize_t count; (count = ::recv(fd.get(), buffer, sizeof buffer, 0)) > 0;)
        answer.append(buffer, static_cast<std::size_t>(count));
      CHECK(answer.size() == 3'000'008);
      CHECK(answer.starts_with("5000000\n"));
    }
    const Fd refused = connect_to(8081);
    char byte;
    CHECK(::recv(refused.get(), &byte, 1, 0) <= 0);

    // Many clients that say nothing and leave: the proxy must neither run out of places nor spin.
    for (int i = 0; i < 600; ++i) connect_to(8080).reset();
    const Fd last = connect_to(8080);
    REQUIRE(::shutdown(last.get(), SHUT_WR) == 0);
    CHECK(::recv(last.get(), &byte, 1, 0) == 1);
    CHECK(byte == '0');
  });
}

namespace {

// A server of datagrams: says each one back, with the port that it came from.
Process start_echo(int port) {
  return Process([=] {
    const Fd socket(static_cast<int>(listen_socket(AF_INET, SOCK_DGRAM, "127.0.0.1", port)));
    ::fcntl(socket.get(), F_SETFL, 0);
    for (;;) {
      char text[65536];
      sockaddr_in from{};
      socklen_t size = sizeof from;
      const ssize_t count = ::recvfrom(socket.get(), text, sizeof text, 0, reinterpret_cast<sockaddr*>(&from), &size);
      if (count >= 0) ::sendto(socket.get(), text, static_cast<std::size_t>(count), 0, reinterpret_cast<sockaddr*>(&from), size);
    }
  });
}

// A client that hears only the very address it talks to, as every resolver does.
Fd datagrams_to(const std::string& address, int port) {
  const bool six = address.find(':') != std::string::npos;
  Fd socket(::socket(six ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in6 where6{};
  where6.sin6_family = AF_INET6;
  where6.sin6_port = htons(static_cast<std::uint16_t>(port));
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_port = where6.sin6_port;
  if (six) REQUIRE(::inet_pton(AF_INET6, address.c_str(), &where6.sin6_addr) == 1);
  else REQUIRE(::inet_pton(AF_INET, address.c_str(), &where.sin_addr) == 1);
  const auto* bytes = six ? reinterpret_cast<const sockaddr*>(&where6) : reinterpret_cast<const sockaddr*>(&where);
  REQUIRE(::connect(socket.get(), bytes, six ? sizeof where6 : sizeof where) == 0);
  return socket;
}

std::string said_back(const Fd& client, const std::string& text, int patience_ms = 2000) {
  if (::send(client.get(), text.data(), text.size(), MSG_NOSIGNAL) < 0) return {};
  pollfd event{client.get(), POLLIN, 0};
  if (::poll(&event, 1, patience_ms) != 1) return {};
  std::string answer(70'000, '\0');
  const ssize_t count = ::recv(client.get(), answer.data(), answer.size(), 0);
  return count < 0 ? std::string() : answer.substr(0, static_cast<std::size_t>(count));
}

}  // namespace

TEST_CASE("the proxy carries datagrams, and answers come from the address that was asked", "[network]") {
  if (sys::geteuid() != 0) DRYDOCK_SKIP("not root; run with sudo");
  on_own_host([] {
    const Process server = start_echo(7001);
    const Process proxy = start_proxy(5353, "127.0.0.1", 7001, SOCK_DGRAM);
    for (const char* address : {"127.0.0.1", "127.9.9.9", "::1"}) {
      INFO(address);
      const Fd client = datagrams_to(address, 5353);
      REQUIRE(eventually([&] { return said_back(client, "hello", 200) == "hello"; }));
      const std::string large(65'000, 'x');
      CHECK(said_back(client, large) == large);
      CHECK(said_back(client, "again") == "again");
    }
    // More clients than there are places: each is answered, and who was silent longest makes room.
    std::vector<Fd> clients;
    for (int i = 0; i < 300; ++i) clients.push_back(datagrams_to("127.0.0.1", 5353));
    for (std::size_t i = 0; i < clients.size(); ++i) {
      INFO("client " << i);
      REQUIRE(said_back(clients[i], std::to_string(i)) == std::to_string(i));
    }
    CHECK(said_back(clients.front(), "still here") == "still here");
  });
}

TEST_CASE("the proxy of datagrams outlives a server that is not there yet", "[network]") {
  if (sys::geteuid() != 0) DRYDOCK_SKIP("not root; run with sudo");
  on_own_host([] {
    const Process proxy = start_proxy(5353, "127.0.0.1", 7001, SOCK_DGRAM);
    const Fd client = datagrams_to("127.0.0.1", 5353);
    CHECK(eventually([&] { return said_back(client, "early", 50).empty(); }));
    const Process server = start_echo(7001);
    CHECK(eventually([&] { return said_back(client, "late", 100) == "late"; }));
  });
}

TEST_CASE("a proxy that has nothing to do uses no processor time", "[network]") {
  if (sys::geteuid() != 0) DRYDOCK_SKIP("not root; run with sudo");
  on_own_host([] {
    const Process server([] {
      const Fd listener(static_cast<int>(listen_socket(AF_INET, SOCK_STREAM, "127.0.0.1", 7001)));
      ::fcntl(listener.get(), F_SETFL, 0);
      std::vector<Fd> clients;
      for (;;) clients.emplace_back(::accept(listener.get(), nullptr, nullptr));  // keeps them open, says nothing
    });
    const Process proxy = start_proxy(8080, "127.0.0.1", 7001);
    std::vector<Fd> clients;
    for (int i = 0; i < 8; ++i) {
      Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
      sockaddr_in where{};
      where.sin_family = AF_INET;
      where.sin_port = htons(8080);
      where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      REQUIRE(eventually([&] { return ::connect(fd.get(), reinterpret_cast<sockaddr*>(&where), sizeof where) == 0; }));
      if (i % 4 == 1) ::shutdown(fd.get(), SHUT_WR);  // half-closed
      if (i % 4 == 2) {                               // reset
        const linger at_once{1, 0};
        ::setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        fd.reset();
      }
      if (i % 4 == 3) fd.reset();  // closed
      clients.push_back(std::move(fd));
    }
    const auto ticks = [&] {
      const std::string text = sys::read_file("/proc/" + std::to_string(proxy.pid()) + "/stat");
      std::size_t at = text.rfind(')') + 2;
      for (int field = 3; field < 14; ++field) at = text.find(' ', at) + 1;
      return std::stol(text.substr(at)) + std::stol(text.substr(text.find(' ', at) + 1));
    };
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    const long before = ticks();
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    CHECK(ticks() - before <= 5);  // of 50
  });
}
