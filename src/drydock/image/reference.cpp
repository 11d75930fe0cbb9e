// Image names as Docker reads them: [host[:port]/]path[:tag][@digest].
// Source: the reference grammar of the distribution project ("distribution/reference"), and docker-tag(1).
#include <algorithm>

#include <drydock/image/layout.hpp>
#include <drydock/image/store.hpp>
#include <drydock/kernel/error.hpp>

namespace drydock::image {

namespace {

[[noreturn]] void refuse(const std::string& reference, const std::string& reason) {
  throw Error::refused("image reference '" + reference + "'", reason, "write it as NAME or NAME:TAG, for example busybox:latest");
}

bool lower_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool alphanumeric(char c) {
  return lower_or_digit(c) || (c >= 'A' && c <= 'Z');
}

// Letters and digits, separated by one '.', one or two '_', or any number of '-'.
bool valid_component(std::string_view part) {
  if (part.empty() || !lower_or_digit(part.front()) || !lower_or_digit(part.back())) return false;
  for (std::size_t at = 0; at < part.size();) {
    if (lower_or_digit(part[at])) {
      ++at;
      continue;
    }
    const char separator = part[at];
    const std::size_t end = std::min(part.find_first_not_of(separator, at), part.size());
    const std::size_t count = end - at;
    if (!lower_or_digit(part[end])) return false;
    if (separator == '-' || (separator == '.' && count == 1) || (separator == '_' && count <= 2))
      at = end;
    else
      return false;
  }
  return true;
}

bool valid_tag(std::string_view tag) {
  if (tag.empty() || tag.size() > 128 || !(alphanumeric(tag[0]) || tag[0] == '_')) return false;
  return std::all_of(tag.begin(), tag.end(), [](char c) { return alphanumeric(c) || c == '_' || c == '.' || c == '-'; });
}

bool valid_host(std::string_view host) {
  const std::size_t colon = host.find(':');
  const std::string_view name = host.substr(0, colon);
  if (name.empty() || !alphanumeric(name.front()) || !alphanumeric(name.back())) return false;
  if (!std::all_of(name.begin(), name.end(), [](char c) { return alphanumeric(c) || c == '.' || c == '-'; })) return false;
  if (colon == std::string_view::npos) return true;
  const std::string_view port = host.substr(colon + 1);
  return !port.empty() && std::all_of(port.begin(), port.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// The first part of a path is a host when it looks like one: this is why "localhost/x" and "x/y" differ.
bool looks_like_host(std::string_view part) {
  return part == "localhost" || part.find_first_of(".:") != std::string_view::npos ||
         std::any_of(part.begin(), part.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

std::string without_default_host(std::string name) {
  for (const std::string_view host : {"docker.io/", "index.docker.io/"}) {
    if (!name.starts_with(host)) continue;
    name.erase(0, host.size());
    break;
  }
  constexpr std::string_view official = "library/";
  if (name.starts_with(official) && name.find('/', official.size()) == std::string::npos) name.erase(0, official.size());
  return name;
}

void check_name(const std::string& reference, std::string_view name) {
  if (name.size() == 64 && name.find_first_not_of("0123456789abcdef") == std::string_view::npos)
    refuse(reference, "64 hexadecimal digits are an image id, not a name");
  if (name == "sha256") refuse(reference, "'sha256:...' is an image id, not a name");
  std::string_view rest = name;
  if (const std::size_t slash = rest.find('/'); slash != std::string_view::npos && looks_like_host(rest.substr(0, slash))) {
    if (!valid_host(rest.substr(0, slash))) refuse(reference, "the part before the first slash is no host name");
    rest.remove_prefix(slash + 1);
  }
  while (true) {
    const std::size_t slash = rest.find('/');
    const std::string_view part = rest.substr(0, slash);
    if (std::any_of(part.begin(), part.end(), [](char c) { return c >= 'A' && c <= 'Z'; }))
      refuse(reference, "the name of an image must be lower case");
    if (!valid_component(part)) refuse(reference, "it is not a valid image name");
    if (slash == std::string_view::npos) return;
    rest.remove_prefix(slash + 1);
  }
}

}  // namespace

std::string normalized_reference(const std::string& reference) {
  if (reference.empty()) refuse(reference, "it is empty");
  std::string name = reference;
  std::string digest;
  if (const std::size_t at = name.find('@'); at != std::string::npos) {
    digest = name.substr(at + 1);
    name.resize(at);
    if (!is_digest(digest)) refuse(reference, "what follows '@' is no sha256 digest");
  }
  std::string tag;
  const std::size_t slash = name.rfind('/');
  if (const std::size_t colon = name.rfind(':'); colon != std::string::npos && (slash == std::string::npos || colon > slash)) {
    tag = name.substr(colon + 1);
    name.resize(colon);
    if (!valid_tag(tag)) refuse(reference, "the tag must be letters, digits, '_', '.' and '-', at most 128 of them");
  }
  check_name(reference, name);
  name = without_default_host(std::move(name));
  if (name.size() + tag.size() > 240) refuse(reference, "it is longer than 240 bytes");
  if (!digest.empty()) return name + "@" + digest;
  return name + ":" + (tag.empty() ? "latest" : tag);
}

}  // namespace drydock::image
