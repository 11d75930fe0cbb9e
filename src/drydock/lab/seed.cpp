#include <drydock/lab/seed.hpp>

#include <drydock/image/archive/digest.hpp>
#include <drydock/kernel/sys.hpp>

namespace drydock::lab {

namespace {

constexpr std::size_t seed_digits = 16, prefix_length = 7;  // "sha256:"

std::string hash(std::string_view bytes) {
  return image::sha256_digest(bytes).substr(prefix_length);
}

std::string bytes_of(std::string_view hex) {
  std::string bytes;
  for (std::size_t at = 0; at < hex.size(); at += 2)
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(at, 2)), nullptr, 16));
  return bytes;
}

}  // namespace

Random::Random(std::string_view seed, std::string_view stream) : state_(hash(std::string(seed) + "/" + std::string(stream))) {}

std::uint64_t Random::next() {
  state_ = hash(state_);
  return std::stoull(state_.substr(0, 16), nullptr, 16);
}

int Random::between(int low, int high) {
  return low + static_cast<int>(next() % static_cast<std::uint64_t>(high - low + 1));
}

std::string Random::word(std::string_view prefix) {
  constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyz0123456789";
  std::string word(prefix);
  for (int index = 0; index < 8; ++index) word += letters[next() % letters.size()];
  return word;
}

std::string fresh_seed() {
  return sys::random_hex(seed_digits);
}

std::string seed_of(std::string_view course_key, std::string_view student) {
  constexpr std::size_t block = 64;
  std::string key = course_key.size() > block ? bytes_of(hash(course_key)) : std::string(course_key);
  key.resize(block, '\0');
  std::string inner = key, outer = key;
  for (std::size_t at = 0; at < block; ++at) {
    inner[at] = static_cast<char>(inner[at] ^ 0x36);
    outer[at] = static_cast<char>(outer[at] ^ 0x5c);
  }
  return hash(outer + bytes_of(hash(inner + std::string(student)))).substr(0, seed_digits);
}

}  // namespace drydock::lab
