#include <drydock/image/archive/unpack.hpp>

#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include <array>
#include <atomic>
#include <optional>

#include <drydock/image/archive/digest.hpp>
#include <drydock/image/archive/layer_root.hpp>
#include <drydock/image/archive/media_types.hpp>
#include <drydock/image/archive/tar_reader.hpp>
#include <drydock/kernel/error.hpp>
#include <drydock/kernel/raw.hpp>
#include <drydock/kernel/sys.hpp>

namespace drydock::image {

namespace {

constexpr std::string_view whiteout_prefix = ".wh.";
constexpr std::string_view opaque_marker = ".wh..wh..opq";
constexpr std::string_view aufs_prefix = ".wh..wh.";  // aufs keeps its own notes under such names; they are no content

// Devices that every root file system has in /dev, with major and minor.
struct KnownDevice {
  unsigned device_major, device_minor;
};
constexpr std::array<KnownDevice, 8> harmless_devices = {{{1, 3}, {1, 5}, {1, 7}, {1, 8}, {1, 9}, {5, 0}, {5, 1}, {5, 2}}};

class Unpacker {
 public:
  Unpacker(ByteSource& tar, Fd root, std::string where, Budget& budget)
      : where_(std::move(where)), budget_(budget), tar_(tar, where_), root_(std::move(root), where_) {}

  void run() {
    while (archive_entry* entry = tar_.next()) one(entry);
    root_.finish();
  }
  std::uint64_t devices_left_out() const { return devices_left_out_; }

 private:
  void one(archive_entry* entry);
  bool hidden(const EntryName& name);
  void file(archive_entry* entry, const EntryName& name);
  void device(archive_entry* entry, const EntryName& name);
  void xattrs(archive_entry* entry, const std::function<void(const std::string&, std::string_view)>& set);
  Metadata metadata(archive_entry* entry, const EntryName& name) const;
  [[noreturn]] void refuse(const EntryName& name, const std::string& reason) const;

  std::string where_;
  Budget& budget_;
  TarReader tar_;
  LayerRoot root_;
  std::uint64_t devices_left_out_ = 0;
};

void Unpacker::refuse(const EntryName& name, const std::string& reason) const {
  throw Error::refused(where_, "entry '" + printable(name.path()) + "' " + reason,
                       "the archive is hostile or broken; nothing of it was kept");
}

Metadata Unpacker::metadata(archive_entry* entry, const EntryName& name) const {
  constexpr la_int64_t last_id = 0xfffffffe;  // 0xffffffff means "no change" to chown(2)
  const la_int64_t uid = archive_entry_uid(entry), gid = archive_entry_gid(entry);
  if (uid < 0 || uid > last_id || gid < 0 || gid > last_id) refuse(name, "has an impossible owner");
  return {static_cast<std::uint32_t>(uid), static_cast<std::uint32_t>(gid), archive_entry_perm(entry) & 07777u,
          archive_entry_mtime(entry), static_cast<std::uint32_t>(archive_entry_mtime_nsec(entry))};
}

// Whiteouts, and what aufs left behind. True when the entry was one of those.
bool Unpacker::hidden(const EntryName& name) {
  const std::string padded = "/" + name.parent + "/";
  if (padded.find("/" + std::string(aufs_prefix)) != std::string::npos) return true;
  if (padded.find("/" + std::string(whiteout_prefix)) != std::string::npos) refuse(name, "lies below a whiteout");
  if (!name.base.starts_with(whiteout_prefix)) return false;
  if (name.base == opaque_marker) {
    root_.make_opaque(name.parent);
    return true;
  }
  if (name.base.starts_with(aufs_prefix)) return true;
  const std::string target = name.base.substr(whiteout_prefix.size());
  if (target.empty() || target == "." || target == "..") refuse(name, "is a whiteout of '" + target + "'");
  root_.make_whiteout({name.parent, target});
  return true;
}

void Unpacker::one(archive_entry* entry) {
  const std::string raw_name = TarReader::name(entry);
  if (raw_name.empty())
    throw Error::refused(where_, "an entry has no name", "the archive is hostile or broken; nothing of it was kept");
  const EntryName name = clean_name(raw_name, where_);
  const auto link = TarReader::hard_link(entry);
  const bool regular = !link && archive_entry_filetype(entry) == AE_IFREG;
  const la_int64_t size = regular ? archive_entry_size(entry) : 0;
  if (size < 0) refuse(name, "has a negative size");
  budget_.entry(where_, printable(name.path()), static_cast<std::uint64_t>(size));
  if (hidden(name)) return;
  if (link) return root_.make_hard_link(name, clean_name(*link, where_));
  switch (archive_entry_filetype(entry)) {
    case AE_IFREG:
      return file(entry, name);
    case AE_IFDIR:
      root_.make_directory(name, metadata(entry, name));
      return xattrs(entry, [&](const std::string& key, std::string_view value) { root_.set_directory_xattr(name, key, value); });
    case AE_IFLNK:
      return root_.make_symlink(name, TarReader::symlink_target(entry), metadata(entry, name));
    case AE_IFIFO:
      return root_.make_fifo(name, metadata(entry, name));
    case AE_IFCHR:
    case AE_IFBLK:
      return device(entry, name);
    default:
      refuse(name, "is of a type that no image has");
  }
}

void Unpacker::file(archive_entry* entry, const EntryName& name) {
  const Metadata attributes = metadata(entry, name);
  const Fd out = root_.make_file(name);
  const auto size = static_cast<std::uint64_t>(archive_entry_size(entry));
  std::uint64_t end = 0;
  while (const auto piece = tar_.block()) {
    std::uint64_t offset = piece->first;
    std::string_view bytes = piece->second;
    if (offset > size || bytes.size() > size - offset) refuse(name, "has more data than its header says");
    end = offset + bytes.size();
    while (!bytes.empty()) {
      const long written = raw::call(SYS_pwrite64, out.get(), bytes.data(), bytes.size(), offset);
      if (written == -EINTR) continue;
      if (raw::failed(written))
        throw Error::from_errno("pwrite", "\"" + printable(name.path()) + "\" of " + where_, raw::error_of(written));
      bytes.remove_prefix(static_cast<std::size_t>(written));
      offset += static_cast<std::uint64_t>(written);
    }
  }
  if (end < size) sys::ftruncate(out, size);  // a sparse file that ends in a hole
  root_.set_metadata(out, attributes, name.path());
  xattrs(entry, [&](const std::string& key, std::string_view value) { root_.set_xattr(out, key, value, name.path()); });
}

void Unpacker::device(archive_entry* entry, const EntryName& name) {
  const auto device_major = static_cast<unsigned>(archive_entry_rdevmajor(entry));
  const auto device_minor = static_cast<unsigned>(archive_entry_rdevminor(entry));
  const bool character = archive_entry_filetype(entry) == AE_IFCHR;
  if (character && device_major == 0 && device_minor == 0) return root_.make_whiteout(name);
  const bool in_dev = name.parent == "dev" || name.parent.starts_with("dev/");
  for (const KnownDevice& known : harmless_devices) {
    if (!in_dev || !character || known.device_major != device_major || known.device_minor != device_minor) continue;
    ++devices_left_out_;
    return;
  }
  refuse(name, std::string("is a ") + (character ? "character" : "block") + " device (" + std::to_string(device_major) + ":" +
                   std::to_string(device_minor) + "), which no image may bring");
}

void Unpacker::xattrs(archive_entry* entry, const std::function<void(const std::string&, std::string_view)>& set) {
  if (archive_entry_xattr_reset(entry) == 0) return;
  const char* key = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  while (archive_entry_xattr_next(entry, &key, &value, &size) == ARCHIVE_OK) {
    const std::string_view attribute = key != nullptr ? key : "";
    const bool wanted = attribute == "security.capability" || attribute.starts_with("user.");
    if (wanted && !attribute.starts_with("user.overlay.")) set(std::string(attribute), {static_cast<const char*>(value), size});
  }
}

// Copies and hashes the blob while it is read.
struct BlobTee {
  Fd file;
  Sha256 hash;
  std::uint64_t size = 0;

  void take(std::string_view bytes) {
    hash.update(bytes);
    size += bytes.size();
    if (file) sys::write_all(file, bytes);
  }
};

}  // namespace

LayerResult unpack_layer(ByteSource& source, LayerTarget target, Budget& budget) {
  SniffedSource sniffed(source);
  const Compression compression = sniffed.compression();
  // bzip2 and xz have no media type: such a layer is kept uncompressed.
  const bool keeps_form = compression != Compression::bzip2 && compression != Compression::xz;
  const bool plain = compression == Compression::none;
  BlobTee blob{std::move(target.blob), {}, 0};
  Sha256 hash;
  std::atomic<std::uint64_t> compressed = 0;  // counted in the reading thread
  std::uint64_t inflated = 0;

  WatchedSource given(sniffed, [&](std::string_view bytes) {
    compressed += bytes.size();
    if (keeps_form && !plain) blob.take(bytes);
  });
  ThreadedSource read_ahead(given);
  Inflater inflater(read_ahead, compression, target.where);
  std::optional<ThreadedSource> inflated_ahead;
  if (!plain) inflated_ahead.emplace(inflater);
  WatchedSource tar(plain ? read_ahead : *inflated_ahead, [&](std::string_view bytes) {
    inflated += bytes.size();
    if (!plain) budget.stream(target.where, compressed, inflated);
    if (plain || !keeps_form) blob.take(bytes);
    if (!plain) hash.update(bytes);
  });

  Unpacker unpacker(tar, std::move(target.root), target.where, budget);
  unpacker.run();
  drain(tar);
  drain(read_ahead);

  LayerResult result;
  result.blob_digest = blob.hash.digest();
  result.diff_id = plain ? result.blob_digest : hash.digest();
  if (!keeps_form) result.diff_id = result.blob_digest;
  result.blob_size = blob.size;
  result.media_type = layer_media_type(keeps_form ? compression : Compression::none);
  result.devices_left_out = unpacker.devices_left_out();
  return result;
}

}  // namespace drydock::image
