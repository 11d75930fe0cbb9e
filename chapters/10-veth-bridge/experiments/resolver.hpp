// Names of machines: a name server that knows a few, and a look-up with the files that a container has.
//
// Example: const Child server = serve_names(web, "127.0.0.11", {{"db", "172.30.0.3"}});
//          web.at([] { return address_of("db", {.resolv_conf = "nameserver 127.0.0.11\n"}); }) == "172.30.0.3"
// Source: resolv.conf(5), hosts(5), getaddrinfo(3); RFC 1035, section 4.
#pragma once

#include <map>
#include <string>

#include "machine.hpp"

namespace drydock::chapter::veth_bridge {

using Names = std::map<std::string, std::string>;

// Answers questions for IPv4 addresses at port 53 until it goes out of scope. What it does not know, it says does not exist.
Child serve_names(const Machine& machine, const std::string& address, const Names& names);

struct NameFiles {
  std::string hosts = {}, resolv_conf = {};
};
// What getaddrinfo(3) says, as a program would see it whose /etc has these two files: an address, or its error in words. The
// caller's mount namespace becomes one of its own.
std::string address_of(const std::string& name, const NameFiles& files);

}  // namespace drydock::chapter::veth_bridge
