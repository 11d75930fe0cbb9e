#include <drydock/network/names.hpp>

namespace drydock::network {

namespace {

// The word after the keyword of a line, empty when the line does not begin with it.
std::string_view argument(std::string_view line, std::string_view keyword) {
  constexpr std::string_view blanks = " \t\r";
  if (!line.starts_with(keyword) || line.size() == keyword.size()) return {};
  line.remove_prefix(keyword.size());
  const std::size_t begin = line.find_first_not_of(blanks);
  if (begin == 0 || begin == std::string_view::npos) return {};
  line.remove_prefix(begin);
  return line.substr(0, line.find_first_of(blanks));
}

// 127.0.0.53 of systemd-resolved, and every other server that listens on the host's loopback only.
bool on_loopback(std::string_view server) {
  return server.starts_with("127.") || server == "::1" || server.starts_with("fe80:");
}

template <typename Each>
void each_line(std::string_view text, Each each) {
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    each(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
}

}  // namespace

std::string hosts_file(std::string_view hostname, std::string_view address, const std::vector<HostEntry>& extra) {
  std::string text =
      "127.0.0.1\tlocalhost\n"
      "::1\tlocalhost ip6-localhost ip6-loopback\n"
      "fe00::\tip6-localnet\n"
      "ff00::\tip6-mcastprefix\n"
      "ff02::1\tip6-allnodes\n"
      "ff02::2\tip6-allrouters\n";
  for (const HostEntry& entry : extra) text += entry.address + "\t" + entry.name + "\n";
  if (!address.empty()) text += std::string(address) + "\t" + std::string(hostname) + "\n";
  return text;
}

std::string resolv_conf(std::string_view host_file, const std::vector<std::string>& dns) {
  std::string text;
  int servers = 0;
  for (const std::string& server : dns) {
    text += "nameserver " + server + "\n";
    ++servers;
  }
  each_line(host_file, [&](std::string_view line) {
    if (const std::string_view server = argument(line, "nameserver"); !server.empty()) {
      if (!dns.empty() || on_loopback(server)) return;
      ++servers;
    } else if (argument(line, "search").empty() && argument(line, "domain").empty() && argument(line, "options").empty()) {
      return;
    }
    text.append(line) += '\n';
  });
  // Docker would fall back to a public server; which server learns the names you look up is not ours to choose.
  if (servers == 0) text += "# the host names no server that a container could reach; give one with --dns\n";
  return text;
}

std::string hostname_file(std::string_view hostname) {
  return std::string(hostname) + "\n";
}

}  // namespace drydock::network
