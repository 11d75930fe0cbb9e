// How much an archive may unpack to: a few kilobytes of gzip can stand for terabytes of zeros.
//
// Example: Budget budget({}); budget.entry("layer 1", "big.img", 10ull << 30) throws Error::refused
// Source: CVE-2017-14992 (Docker: a gzip bomb in a layer exhausts memory) and its kin.
#pragma once

#include <cstdint>
#include <string>

namespace drydock::image {

struct Limits {
  std::uint64_t bytes = 8ull << 30;       // all files of one archive, unpacked; holes of sparse files count
  std::uint64_t entries = 1'000'000;      // files, directories, links of one archive
  std::uint64_t ratio = 300;              // unpacked bytes per compressed byte of a layer ...
  std::uint64_t ratio_from = 256u << 20;  // ... once that many bytes have come out
};

// What is left of the limits while one archive is read: counted before anything is written.
class Budget {
 public:
  explicit Budget(const Limits& limits) : limits_(limits) {}
  const Limits& limits() const { return limits_; }
  // One more entry of `size` bytes. Throws Error::refused when it does not fit.
  void entry(const std::string& where, const std::string& name, std::uint64_t size);
  // The stream as it comes out of the decompressor. Throws Error::refused for a bomb.
  void stream(const std::string& where, std::uint64_t compressed, std::uint64_t inflated) const;
  std::uint64_t used_bytes() const { return bytes_; }
  std::uint64_t used_entries() const { return entries_; }

 private:
  Limits limits_;
  std::uint64_t bytes_ = 0, entries_ = 0;
};

}  // namespace drydock::image
