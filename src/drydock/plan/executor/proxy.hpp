// The proxy of published ports: a process in the host's network that carries bytes between clients and the container.
//
// Packets to a published port normally go through nftables (network/nat.hpp) and never come here. Three kinds cannot:
// connections to 127.0.0.0/8 (the kernel drops loopback addresses on other links; route_localnet would open CVE-2020-8558),
// to ::1, and to any other IPv6 address (containers have IPv4 only). The listening sockets also reserve the port.
//
// Example: int fds[2] = {listen_socket(AF_INET, SOCK_STREAM, "0.0.0.0", 8080), listen_socket(AF_INET6, SOCK_STREAM, "::", 8080)}; int to[2] = {80, 80};
//          proxy_loop(fds, 2, "172.29.0.2", to);   // until the process is killed
// Source: epoll(7), tcp(7); half-closed connections: RFC 9293 section 3.6.
#pragma once

#include <cstddef>

namespace drydock::plan::executor {

// Closes every descriptor but the listeners. Serves listener i by connecting to `address`:ports[i] (IPv4). Negative listeners are
// skipped (a host without IPv6). At most 256 connections at once, 16 KiB of buffer for each direction of each; further clients
// wait in the backlog. Datagrams: executor/datagrams.hpp. Returns -errno when it cannot start, 0 when there is nothing to serve; else runs until the process is
// killed.
long proxy_loop(const int* listeners, std::size_t count, const char* address, const int* ports) noexcept;

}  // namespace drydock::plan::executor
