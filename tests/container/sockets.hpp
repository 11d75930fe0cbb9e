// Sockets of the test itself, which stands on the host: it asks what containers serve, and serves what they might reach.
//
// Example: detached(host, "web", serve, {"-p", "18080:80"}); CHECK(answers("127.0.0.1", 18080));
// Source: ip(7), ipv6(7).
#pragma once

#include <cstdint>
#include <string>

#include <drydock/kernel/fd.hpp>

namespace drydock::test {

// A web server in the base image, and a word of its page.
inline constexpr const char* serve = "exec httpd -f -p 80 -h /www";
inline constexpr const char* greeting = "It floats";

// What the host gets from there; empty when nobody answers.
std::string fetch(const std::string& where, std::uint16_t port);
// The page of `serve`; the server gets a moment to listen.
bool answers(const std::string& where, std::uint16_t port);
// A socket for datagrams at that port in the network of process `pid`: the base image has no such server.
Fd datagram_server(pid_t pid, std::uint16_t port);
// A datagram to there comes to `server`, and its answer back.
bool datagrams_pass(const std::string& where, std::uint16_t port, const Fd& server);
// Empty when the address is taken.
Fd listener(const std::string& where, std::uint16_t port);

}  // namespace drydock::test
