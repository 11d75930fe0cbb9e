// A tar stream entry by entry, over libarchive's reader. The stream is uncompressed: see bytes.hpp for the stages before it.
//
// Example: TarReader tar(source, "layer"); while (archive_entry* entry = tar.next()) tar.for_each_block(...);
// Errors: Error::refused for a truncated or damaged archive; what the source throws passes through.
// Source: tar(5), archive_read(3). Names are read under a UTF-8 locale of this thread only: in the C locale libarchive gives
//         no name at all for a non-ASCII path of a pax header.
#pragma once

#include <archive.h>
#include <archive_entry.h>
#include <locale.h>

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <drydock/image/archive/bytes.hpp>

namespace drydock::image {

// uselocale(3) to C.UTF-8 while it lives; other threads keep theirs.
class Utf8Locale {
 public:
  Utf8Locale();
  ~Utf8Locale();
  Utf8Locale(const Utf8Locale&) = delete;
  Utf8Locale& operator=(const Utf8Locale&) = delete;

 private:
  locale_t own_, before_;
};

class TarReader {
 public:
  TarReader(ByteSource& source, std::string where);
  // A regular file, read with seeks over what is not wanted.
  TarReader(const Fd& file, std::string where);

  // Null at the end. The entry is valid until the next call.
  archive_entry* next();
  // The data of the present entry: calls `block` with offset and bytes; holes are skipped.
  void for_each_block(const std::function<void(std::uint64_t, std::string_view)>& block);
  // The next block of the present entry, empty at its end.
  std::optional<std::pair<std::uint64_t, std::string_view>> block();

  // Empty when the archive gives none.
  static std::string name(archive_entry* entry);
  static std::optional<std::string> hard_link(archive_entry* entry);
  static std::string symlink_target(archive_entry* entry);

 private:
  static long feed(archive*, void* self, const void** bytes);
  [[noreturn]] void fail();

  Utf8Locale locale_;
  ByteSource* source_ = nullptr;
  std::string where_;
  std::exception_ptr failure_;
  ArchiveReader reader_;
};

}  // namespace drydock::image
