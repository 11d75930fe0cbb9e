#include <drydock/image/archive/limits.hpp>

#include <drydock/kernel/error.hpp>

namespace drydock::image {

namespace {

std::string mebibytes(std::uint64_t bytes) {
  return std::to_string(bytes >> 20) + " MiB";
}

}  // namespace

void Budget::entry(const std::string& where, const std::string& name, std::uint64_t size) {
  if (++entries_ > limits_.entries)
    throw Error::refused(where, "it has more than " + std::to_string(limits_.entries) + " entries",
                         "raise the limit with --max-entries N if you trust the archive");
  if (size > limits_.bytes - bytes_)
    throw Error::refused(where,
                         "with '" + name + "' (" + mebibytes(size) + ") it unpacks to more than " + mebibytes(limits_.bytes),
                         "raise the limit with --max-size SIZE if you trust the archive");
  bytes_ += size;
}

void Budget::stream(const std::string& where, std::uint64_t compressed, std::uint64_t inflated) const {
  // Headers, padding and the end marker come on top of the files' own bytes.
  if (inflated > limits_.bytes + limits_.bytes / 4 + (64u << 20))
    throw Error::refused(where, "it inflates to more than " + mebibytes(limits_.bytes),
                         "raise the limit with --max-size SIZE if you trust the archive");
  if (inflated > limits_.ratio_from && inflated / limits_.ratio > compressed)
    throw Error::refused(
        where, "it inflates to more than " + std::to_string(limits_.ratio) + " times its size, as a compression bomb does",
        "raise the limit with --max-ratio N if you trust the archive");
}

}  // namespace drydock::image
