// Tar archives of which every byte is decided by their content: owner 0:0, times 0, no padding that depends on the output.
//
// Example: std::string tar; TarWriter writer([&](std::string_view bytes) { tar += bytes; }, Compression::gzip);
//          writer.directory("etc", 0755); writer.file("etc/hostname", 0644, "box\n"); writer.finish();
// Errors: Error::refused when libarchive refuses; what `out` throws passes through.
// Source: tar(5), archive_write(3); reproducible-builds.org on archives (gzip keeps no time and no name).
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <drydock/image/archive/bytes.hpp>
#include <drydock/image/archive/tar_reader.hpp>

namespace drydock::image {

class TarWriter {
 public:
  // `compression`: none, gzip or zstd.
  TarWriter(std::function<void(std::string_view)> out, Compression compression);
  ~TarWriter();
  TarWriter(const TarWriter&) = delete;
  TarWriter& operator=(const TarWriter&) = delete;

  void directory(const std::string& name, unsigned mode);
  void file(const std::string& name, unsigned mode, std::string_view content);
  // Of exactly `size` bytes.
  void file(const std::string& name, unsigned mode, std::uint64_t size, ByteSource& content);
  void symlink(const std::string& name, const std::string& target);
  // The end marker. Without it the archive is truncated, which is what an exception on the way should leave.
  void finish();

 private:
  static long drain(archive*, void* self, const void* bytes, std::size_t size);
  void header(const std::string& name, unsigned type, unsigned mode, std::uint64_t size, const std::string& target);
  void data(std::string_view bytes);
  void check(long result);

  Utf8Locale locale_;
  std::function<void(std::string_view)> out_;
  std::exception_ptr failure_;
  struct Close {
    void operator()(archive* writer) const;
  };
  std::unique_ptr<archive, Close> writer_;
};

}  // namespace drydock::image
