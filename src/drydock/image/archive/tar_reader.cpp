#include <drydock/image/archive/tar_reader.hpp>

#include <sys/syscall.h>
#include <unistd.h>

#include <drydock/kernel/error.hpp>
#include <drydock/kernel/raw.hpp>

namespace drydock::image {

Utf8Locale::Utf8Locale() : own_(::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)) {
  before_ = ::uselocale(own_);  // null (no such locale on this machine) changes nothing
}

Utf8Locale::~Utf8Locale() {
  ::uselocale(before_);
  if (own_ != nullptr) ::freelocale(own_);
}

TarReader::TarReader(ByteSource& source, std::string where)
    : source_(&source), where_(std::move(where)), reader_(archive_read_new()) {
  archive_read_support_format_tar(reader_.get());
  archive_read_support_format_empty(reader_.get());
  if (archive_read_open(reader_.get(), this, nullptr, feed, nullptr) < ARCHIVE_WARN) fail();
}

TarReader::TarReader(const Fd& file, std::string where) : where_(std::move(where)), reader_(archive_read_new()) {
  archive_read_support_format_tar(reader_.get());
  archive_read_support_format_empty(reader_.get());
  raw::call(SYS_lseek, file.get(), 0, SEEK_SET);
  if (archive_read_open_fd(reader_.get(), file.get(), 512 * 1024) < ARCHIVE_WARN) fail();
}

// Called from C: an exception must not pass through, so it waits in `failure_`.
long TarReader::feed(archive*, void* self, const void** bytes) {
  auto& tar = *static_cast<TarReader*>(self);
  try {
    const std::string_view chunk = tar.source_->next();
    *bytes = chunk.data();
    return static_cast<long>(chunk.size());
  } catch (...) {
    tar.failure_ = std::current_exception();
    return ARCHIVE_FATAL;
  }
}

void TarReader::fail() {
  if (failure_) std::rethrow_exception(failure_);
  const char* reason = archive_error_string(reader_.get());
  throw Error::refused(
      where_, std::string("it is no tar archive, or truncated or damaged: ") + (reason != nullptr ? reason : "unknown reason"),
      "copy or save the image again");
}

archive_entry* TarReader::next() {
  archive_entry* entry = nullptr;
  const int result = archive_read_next_header(reader_.get(), &entry);
  if (result == ARCHIVE_EOF) return nullptr;
  if (result < ARCHIVE_WARN) fail();
  return entry;
}

std::optional<std::pair<std::uint64_t, std::string_view>> TarReader::block() {
  const void* data = nullptr;
  std::size_t size = 0;
  la_int64_t offset = 0;
  do {
    const int result = archive_read_data_block(reader_.get(), &data, &size, &offset);
    if (result == ARCHIVE_EOF) return std::nullopt;
    if (result < ARCHIVE_WARN) fail();
  } while (size == 0);
  return std::pair(static_cast<std::uint64_t>(offset), std::string_view(static_cast<const char*>(data), size));
}

void TarReader::for_each_block(const std::function<void(std::uint64_t, std::string_view)>& each) {
  while (const auto piece = block()) each(piece->first, piece->second);
}

namespace {

std::string first_of(const char* bytes, const char* utf8) {
  if (bytes != nullptr) return bytes;
  return utf8 != nullptr ? utf8 : "";
}

}  // namespace

std::string TarReader::name(archive_entry* entry) {
  const char* bytes = archive_entry_pathname(entry);
  return first_of(bytes, bytes == nullptr ? archive_entry_pathname_utf8(entry) : nullptr);
}

std::optional<std::string> TarReader::hard_link(archive_entry* entry) {
  const char* bytes = archive_entry_hardlink(entry);
  const char* utf8 = bytes == nullptr ? archive_entry_hardlink_utf8(entry) : nullptr;
  if (bytes == nullptr && utf8 == nullptr) return std::nullopt;
  return first_of(bytes, utf8);
}

std::string TarReader::symlink_target(archive_entry* entry) {
  const char* bytes = archive_entry_symlink(entry);
  return first_of(bytes, bytes == nullptr ? archive_entry_symlink_utf8(entry) : nullptr);
}

}  // namespace drydock::image
