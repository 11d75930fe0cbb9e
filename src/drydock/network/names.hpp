// The three files that give a container its names: /etc/hosts, /etc/resolv.conf, /etc/hostname. Pure text.
//
// Example: hosts_file("web", "172.29.0.2", {{"db", "172.29.0.3"}})
// Source: hosts(5), resolv.conf(5), hostname(5).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace drydock::network {

struct HostEntry {
  std::string name;
  std::string address;  // IPv4 or IPv6, as text
};

// `address` empty: only the loopback lines (network none).
std::string hosts_file(std::string_view hostname, std::string_view address, const std::vector<HostEntry>& extra);
// `dns` given: those servers. Else the host's file without loopback servers, which the container could not reach.
std::string resolv_conf(std::string_view host_file, const std::vector<std::string>& dns);
std::string hostname_file(std::string_view hostname);

}  // namespace drydock::network
