#include <drydock/container/parse_values.hpp>

#include <arpa/inet.h>

#include <algorithm>

namespace drydock::container {

namespace {

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_address(int family, std::string_view text) {
  unsigned char binary[sizeof(in6_addr)];
  return text.size() < INET6_ADDRSTRLEN && ::inet_pton(family, std::string(text).c_str(), binary) == 1;
}

}  // namespace

Error bad_value(std::string_view option, std::string_view value, std::string reason, std::string remedy) {
  std::string shown(value);
  for (char& c : shown)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  return Error::refused(std::string(option) + " '" + shown + "'", std::move(reason), std::move(remedy));
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return result;
}

bool is_ipv4(std::string_view text) {
  return is_address(AF_INET, text);
}

bool is_ipv6(std::string_view text) {
  return is_address(AF_INET6, text);
}

bool is_object_name(std::string_view text) {
  return text.size() >= 2 && is_alphanumeric(text.front()) &&
         std::all_of(text.begin(), text.end(), [](char c) { return is_alphanumeric(c) || c == '_' || c == '.' || c == '-'; });
}

}  // namespace drydock::container
