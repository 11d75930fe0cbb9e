#include <drydock/image/archive/tar_writer.hpp>

#include <archive.h>
#include <archive_entry.h>

#include <drydock/kernel/error.hpp>

namespace drydock::image {

TarWriter::TarWriter(std::function<void(std::string_view)> out, Compression compression)
    : out_(std::move(out)), writer_(archive_write_new()) {
  if (compression == Compression::gzip) check(archive_write_add_filter_gzip(writer_.get()));
  if (compression == Compression::zstd) check(archive_write_add_filter_zstd(writer_.get()));
  check(archive_write_set_format_pax_restricted(writer_.get()));
  if (compression == Compression::gzip)
    check(archive_write_set_options(writer_.get(), "gzip:!timestamp,gzip:compression-level=6"));
  check(archive_write_set_bytes_per_block(writer_.get(), 64 * 1024));
  check(archive_write_set_bytes_in_last_block(writer_.get(), 1));
  check(archive_write_open(writer_.get(), this, nullptr, drain, nullptr));
}

TarWriter::~TarWriter() = default;

void TarWriter::Close::operator()(archive* writer) const {
  archive_write_fail(writer);  // after finish() there is nothing left that could fail
  archive_write_free(writer);
}

// Called from C: an exception must not pass through, so it waits in `failure_`.
long TarWriter::drain(archive* writer, void* self, const void* bytes, std::size_t size) {
  auto& tar = *static_cast<TarWriter*>(self);
  try {
    tar.out_({static_cast<const char*>(bytes), size});
    return static_cast<long>(size);
  } catch (...) {
    tar.failure_ = std::current_exception();
    archive_set_error(writer, -1, "the output does not take it");
    return -1;
  }
}

void TarWriter::check(long result) {
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
  if (result >= ARCHIVE_WARN) return;
  const char* reason = archive_error_string(writer_.get());
  throw Error::refused("tar archive", std::string("it cannot be written: ") + (reason != nullptr ? reason : "unknown reason"));
}

void TarWriter::header(const std::string& name, unsigned type, unsigned mode, std::uint64_t size, const std::string& target) {
  struct Free {
    void operator()(archive_entry* entry) const { archive_entry_free(entry); }
  };
  const std::unique_ptr<archive_entry, Free> entry(archive_entry_new());
  archive_entry_set_pathname(entry.get(), name.c_str());
  archive_entry_set_filetype(entry.get(), type);
  archive_entry_set_perm(entry.get(), static_cast<mode_t>(mode));
  archive_entry_set_size(entry.get(), static_cast<la_int64_t>(size));
  archive_entry_set_mtime(entry.get(), 0, 0);
  if (!target.empty()) archive_entry_set_symlink(entry.get(), target.c_str());
  check(archive_write_header(writer_.get(), entry.get()));
}

void TarWriter::data(std::string_view bytes) {
  while (!bytes.empty()) {
    const long written = archive_write_data(writer_.get(), bytes.data(), bytes.size());
    check(written);
    if (written == 0) throw Error::refused("tar archive", "a file grew while it was read");
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

void TarWriter::directory(const std::string& name, unsigned mode) {
  header(name.ends_with('/') ? name : name + "/", AE_IFDIR, mode, 0, {});
}

void TarWriter::file(const std::string& name, unsigned mode, std::string_view content) {
  header(name, AE_IFREG, mode, content.size(), {});
  data(content);
}

void TarWriter::file(const std::string& name, unsigned mode, std::uint64_t size, ByteSource& content) {
  header(name, AE_IFREG, mode, size, {});
  std::uint64_t total = 0;
  for (std::string_view bytes = content.next(); !bytes.empty(); bytes = content.next()) {
    total += bytes.size();
    data(bytes);
  }
  if (total != size) throw Error::refused("tar archive", "'" + name + "' shrank while it was read");
}

void TarWriter::symlink(const std::string& name, const std::string& target) {
  header(name, AE_IFLNK, 0777, 0, target);
}

void TarWriter::finish() {
  check(archive_write_close(writer_.get()));
}

}  // namespace drydock::image
