// Random values of a run: from one seed that is printed, so that a verdict can be had again.
//
// Each check has a stream of its own: leaving out others changes nothing for it.
//
// Example: Random random("5f3a0c", "02.2"); const std::string host = random.word("host-");
// Source: FIPS 180-4 (SHA-256), RFC 2104 (HMAC).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace drydock::lab {

class Random {
 public:
  Random(std::string_view seed, std::string_view stream);
  std::uint64_t next();
  // From `low` to `high`, both included.
  int between(int low, int high);
  // `prefix` and eight letters or digits.
  std::string word(std::string_view prefix);

 private:
  std::string state_;
};

std::string fresh_seed();
// What a member of a course gets: HMAC-SHA256(key, id), so that staff can say it again and nobody else can.
std::string seed_of(std::string_view course_key, std::string_view student);

}  // namespace drydock::lab
