// Small tools that the option parsers share: splitting, addresses, and the one form of their errors.
//
// Example: throw bad_value("-m", "64x", "that is no size", "give a number of bytes, or one with a unit: 512k, 64m, 1g");
// Source: inet_pton(3).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <drydock/kernel/error.hpp>

namespace drydock::container {

// Error "OPTION 'VALUE': REASON; REMEDY". Control characters of the value are shown as '?'.
Error bad_value(std::string_view option, std::string_view value, std::string reason, std::string remedy);
std::vector<std::string_view> split(std::string_view text, char separator);
std::string lower(std::string_view text);
bool is_ipv4(std::string_view text);
bool is_ipv6(std::string_view text);
// Letters, digits, '_', '.', '-', the first a letter or digit, at least two: names of containers and volumes.
bool is_object_name(std::string_view text);

}  // namespace drydock::container
