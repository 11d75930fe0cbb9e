// The socket of a published port. Making it is what reserves the port.
//
// Example: const long fd = listen_socket(AF_INET, SOCK_STREAM, "0.0.0.0", 8080);
// Source: bind(2), listen(2), IPV6_V6ONLY in ipv6(7), SO_REUSEADDR in socket(7).
#pragma once

namespace drydock::plan::executor {

// A socket at a port, close-on-exec, IPv6 ones for IPv6 only; `type` SOCK_STREAM (it listens) or SOCK_DGRAM.
// A descriptor or -errno; -EADDRINUSE: the port is taken. `address` is numeric text; -EINVAL when it is not.
long listen_socket(int family, int type, const char* address, int port) noexcept;

}  // namespace drydock::plan::executor
