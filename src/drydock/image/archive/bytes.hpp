// Streams of bytes: each stage of reading a layer (file, copy, hash, inflate, thread boundary) is one ByteSource over another.
//
// Example: FileSource file(fd); Inflater plain(file, Compression::gzip, "layer"); while (!(chunk = plain.next()).empty()) ...
// Errors: Error::refused for damaged content, Error::from_errno for the kernel's refusals.
// Source: RFC 1952 (gzip), RFC 8878 (zstd); archive_read_filter(3).
#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <drydock/kernel/fd.hpp>

struct archive;

namespace drydock::image {

// A reader of libarchive that frees itself, also when a constructor throws.
struct FreeArchiveReader {
  void operator()(archive* reader) const;
};
using ArchiveReader = std::unique_ptr<archive, FreeArchiveReader>;

class ByteSource {
 public:
  virtual ~ByteSource() = default;
  // The next bytes, valid until the next call; empty at the end, and from then on.
  virtual std::string_view next() = 0;
};

class FileSource : public ByteSource {
 public:
  // Reads from the present offset of `file`, which must outlive the source.
  explicit FileSource(const Fd& file);
  std::string_view next() override;

 private:
  const Fd& file_;
  std::vector<char> buffer_;
};

class MemorySource : public ByteSource {
 public:
  explicit MemorySource(std::string_view bytes) : bytes_(bytes) {}
  std::string_view next() override { return std::exchange(bytes_, {}); }

 private:
  std::string_view bytes_;
};

// Shows every chunk that passes to `watch` (to hash it, to copy it, to count it).
class WatchedSource : public ByteSource {
 public:
  WatchedSource(ByteSource& inner, std::function<void(std::string_view)> watch) : inner_(inner), watch_(std::move(watch)) {}
  std::string_view next() override;

 private:
  ByteSource& inner_;
  std::function<void(std::string_view)> watch_;
};

enum class Compression { none, gzip, zstd, bzip2, xz };

// Gives the first bytes back after a look at them: files in archives are often named .tar whatever they are.
class SniffedSource : public ByteSource {
 public:
  explicit SniffedSource(ByteSource& inner);
  Compression compression() const { return compression_; }
  std::string_view next() override;

 private:
  ByteSource& inner_;
  std::string head_;
  bool head_given_ = false;
  Compression compression_ = Compression::none;
};

// Decompresses in this process (libarchive's own filters; never those that would start a program).
class Inflater : public ByteSource {
 public:
  // `what` names the object in messages.
  Inflater(ByteSource& inner, Compression compression, std::string what);
  ~Inflater() override;
  std::string_view next() override;

 private:
  static long feed(archive*, void* self, const void** bytes);
  ByteSource& inner_;
  std::string what_;
  std::exception_ptr failure_;
  ArchiveReader reader_;
  bool ended_ = false;
};

// Runs `inner` in a thread of its own, a few chunks ahead: inflating overlaps with hashing and writing files.
class ThreadedSource : public ByteSource {
 public:
  explicit ThreadedSource(ByteSource& inner);
  ~ThreadedSource() override;
  std::string_view next() override;

 private:
  static constexpr std::size_t chunk_size = 256 * 1024;
  static constexpr std::size_t depth = 8;
  void produce();
  bool put(std::string& chunk);

  ByteSource& inner_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> full_, spare_;  // full_: oldest first
  std::string current_;
  bool ended_ = false, cancelled_ = false;
  std::exception_ptr failure_;
  std::thread thread_;
};

// Reads the rest away: hashes must see every byte, also those behind the end of what they wrap.
void drain(ByteSource& source);
// All of it; throws Error::refused beyond `limit` bytes.
std::string read_all(ByteSource& source, std::uint64_t limit, const std::string& what);

}  // namespace drydock::image
