// Archives for tests, honest and hostile ones, and the sandbox they are tried in.
//
// Example: Tar tar; tar.file("etc/x", "content"); tar.symlink("a", "/etc"); std::string bytes = tar.bytes();
//          Sandbox box; Error error = box.refusal([&] { load(box.data, docker_archive({{bytes}})); }); box.check_untouched();
// Source: tar(5); libarchive's writer, which does not judge names.
#pragma once

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <drydock/image/archive/digest.hpp>
#include <drydock/image/archive/incoming.hpp>
#include <drydock/image/archive/index.hpp>
#include <drydock/image/archive/load.hpp>
#include <drydock/image/archive/media_types.hpp>
#include <drydock/image/archive/tar_writer.hpp>
#include <drydock/image/archive/tree.hpp>
#include <drydock/kernel/error.hpp>
#include <drydock/kernel/sys.hpp>

#include "support/catch.hpp"

namespace drydock::test {

namespace fs = std::filesystem;
using json = nlohmann::ordered_json;

// What an entry says of itself beside its name and content.
struct TarExtra {
  unsigned mode = 0644;
  std::int64_t uid = 0, gid = 0, mtime = 1'000'000'000;
  std::map<std::string, std::string> xattrs = {};
  std::optional<std::int64_t> size = std::nullopt;  // said in the header instead of the content's own
};

// A tar whose entries may say anything.
class Tar {
 public:
  using Extra = TarExtra;

  explicit Tar(image::Compression compression = image::Compression::none) : writer_(archive_write_new()) {
    if (compression == image::Compression::gzip) archive_write_add_filter_gzip(writer_);
    if (compression == image::Compression::zstd) archive_write_add_filter_zstd(writer_);
    if (compression == image::Compression::bzip2) archive_write_add_filter_bzip2(writer_);
    if (compression == image::Compression::xz) archive_write_add_filter_xz(writer_);
    archive_write_set_format_pax(writer_);
    archive_write_set_bytes_in_last_block(writer_, 1);
    archive_write_open(writer_, this, nullptr, append, nullptr);
  }
  Tar(const Tar&) = delete;
  Tar& operator=(const Tar&) = delete;
  ~Tar() { archive_write_free(writer_); }

  Tar& file(const std::string& name, const std::string& content, const Extra& extra = {}) {
    return add(name, AE_IFREG, content, extra, [](archive_entry*) {});
  }
  Tar& directory(const std::string& name, Extra extra = {}) {
    if (extra.mode == 0644) extra.mode = 0755;
    return add(name, AE_IFDIR, "", extra, [](archive_entry*) {});
  }
  Tar& symlink(const std::string& name, const std::string& target) {
    return add(name, AE_IFLNK, "", {}, [&](archive_entry* e) { archive_entry_set_symlink(e, target.c_str()); });
  }
  Tar& hard_link(const std::string& name, const std::string& target) {
    return add(name, AE_IFREG, "", {}, [&](archive_entry* e) { archive_entry_set_hardlink(e, target.c_str()); });
  }
  Tar& device(const std::string& name, bool character, unsigned device_major, unsigned device_minor) {
    return add(name, character ? AE_IFCHR : AE_IFBLK, "", {}, [&](archive_entry* e) {
      archive_entry_set_rdevmajor(e, device_major);
      archive_entry_set_rdevminor(e, device_minor);
    });
  }
  Tar& fifo(const std::string& name) {
    return add(name, AE_IFIFO, "", {}, [](archive_entry*) {});
  }
  // A file of `size` bytes of which only the first block is there.
  Tar& sparse(const std::string& name, std::int64_t size) {
    Extra extra;
    extra.size = size;
    return add(name, AE_IFREG, std::string(512, 'x'), extra, [](archive_entry* e) { archive_entry_sparse_add_entry(e, 0, 512); });
  }
  std::string bytes() {
    archive_write_close(writer_);
    return bytes_;
  }

 private:
  template <typename Shape>
  Tar& add(const std::string& name, unsigned type, const std::string& content, const Extra& extra, Shape shape) {
    archive_entry* entry = archive_entry_new();
    archive_entry_set_pathname(entry, name.c_str());
    archive_entry_set_filetype(entry, type);
    archive_entry_set_perm(entry, static_cast<mode_t>(extra.mode));
    archive_entry_set_uid(entry, extra.uid);
    archive_entry_set_gid(entry, extra.gid);
    archive_entry_set_mtime(entry, extra.mtime, 0);
    archive_entry_set_size(entry, extra.size.value_or(static_cast<std::int64_t>(content.size())));
    for (const auto& [key, value] : extra.xattrs) archive_entry_xattr_add_entry(entry, key.c_str(), value.data(), value.size());
    shape(entry);
    archive_write_header(writer_, entry);
    if (!content.empty()) archive_write_data(writer_, content.data(), content.size());
    archive_entry_free(entry);
    return *this;
  }
  static la_ssize_t append(archive*, void* self, const void* data, std::size_t size) {
    static_cast<Tar*>(self)->bytes_.append(static_cast<const char*>(data), size);
    return static_cast<la_ssize_t>(size);
  }

  std::string bytes_;
  archive* writer_;
};

// What `docker save` writes; each part can be spoiled.
struct DockerArchive {
  std::vector<std::string> layers;         // tars, lowest first, perhaps compressed
  std::vector<std::string> diff_ids = {};  // empty: the true ones (of uncompressed layers)
  std::vector<std::string> tags = {"test:latest"};
  std::string config_name = {};  // empty: "<digest>.json"
  json run = {{"Cmd", {"true"}}};
  json history = json::array();

  std::string config() const {
    json ids = json::array();
    for (std::size_t i = 0; i < layers.size(); ++i)
      ids.push_back(i < diff_ids.size() ? diff_ids[i] : image::sha256_digest(layers[i]));
    return json({{"architecture", "amd64"},
                 {"os", "linux"},
                 {"created", "2024-01-02T03:04:05Z"},
                 {"config", run},
                 {"rootfs", {{"type", "layers"}, {"diff_ids", ids}}},
                 {"history", history}})
        .dump();
  }
  std::string id() const { return image::sha256_digest(config()); }
  std::string bytes() const {
    Tar tar;
    json names = json::array();
    for (std::size_t i = 0; i < layers.size(); ++i) {
      names.push_back(std::to_string(i) + "/layer.tar");
      tar.file(names.back(), layers[i]);
    }
    const std::string name = config_name.empty() ? id().substr(7) + ".json" : config_name;
    tar.file(name, config());
    tar.file("manifest.json", json::array({{{"Config", name}, {"RepoTags", tags}, {"Layers", names}}}).dump());
    return tar.bytes();
  }
};

// An OCI layout as named files; write() makes the directory, bytes() the tar.
struct OciLayout {
  std::map<std::string, std::string> files;

  std::string blob(const std::string& content) {
    const std::string digest = image::sha256_digest(content);
    files["blobs/sha256/" + digest.substr(7)] = content;
    return digest;
  }
  // One image of `layers` (blob, diff id, media type); returns the digest of its manifest.
  struct Layer {
    std::string content, diff_id, media_type;
  };
  std::string image(const std::vector<Layer>& layers, const std::string& name) {
    json ids = json::array();
    json descriptors = json::array();
    for (const Layer& layer : layers) {
      ids.push_back(layer.diff_id);
      descriptors.push_back({{"mediaType", layer.media_type}, {"digest", blob(layer.content)}, {"size", layer.content.size()}});
    }
    const std::string config = json({{"architecture", "amd64"},
                                     {"os", "linux"},
                                     {"config", json::object()},
                                     {"rootfs", {{"type", "layers"}, {"diff_ids", ids}}}})
                                   .dump();
    const std::string manifest =
        json({{"schemaVersion", 2},
              {"mediaType", image::manifest_type},
              {"config", {{"mediaType", image::config_type}, {"digest", blob(config)}, {"size", config.size()}}},
              {"layers", descriptors}})
            .dump();
    const std::string digest = blob(manifest);
    json entry = {{"mediaType", image::manifest_type}, {"digest", digest}, {"size", manifest.size()}};
    if (!name.empty()) entry["annotations"] = {{"org.opencontainers.image.ref.name", name}};
    manifests.push_back(entry);
    files["index.json"] = json({{"schemaVersion", 2}, {"manifests", manifests}}).dump();
    files["oci-layout"] = "{\"imageLayoutVersion\":\"1.0.0\"}";
    return digest;
  }
  std::string bytes() const {
    Tar tar;
    for (const auto& [name, content] : files) tar.file(name, content);
    return tar.bytes();
  }
  void write(const fs::path& directory) const {
    for (const auto& [name, content] : files) {
      fs::create_directories((directory / name).parent_path());
      std::ofstream(directory / name, std::ios::binary) << content;
    }
  }
  json manifests = json::array();
};

inline std::string tar_with(const std::string& name, const std::string& content) {
  Tar tar;
  tar.file(name, content);
  return tar.bytes();
}

// A directory of its own with a store in it and, beside the store, things that must stay as they are.
class Sandbox {
 public:
  Sandbox() : path(base() / ("drydock-image-test-" + sys::random_hex(8))), data(path / "data") {
    fs::create_directories(path / "outside" / "directory");
    std::ofstream(path / "outside" / "file") << "precious";
    std::ofstream(path / "outside" / "directory" / "inner") << "precious too";
    before_ = picture(path / "outside");
  }
  ~Sandbox() {
    try {
      image::remove_directory(path.string());  // fs::remove_all stumbles over directories without write permission
    } catch (const Error&) {
    }
  }
  Sandbox(const Sandbox&) = delete;
  Sandbox& operator=(const Sandbox&) = delete;

  image::Store store() const { return image::Store(data.string()); }
  std::string outside() const { return (path / "outside").string(); }
  std::string write(const std::string& name, const std::string& bytes) const {
    std::ofstream(path / name, std::ios::binary) << bytes;
    return (path / name).string();
  }
  std::vector<image::Loaded> load(const std::string& bytes, const image::LoadOptions& options = {}) const {
    return image::load_images(data.string(), write("archive", bytes), options);
  }
  // The sentence of the refusal; fails the test when nothing is refused.
  template <typename Action>
  std::string refusal(Action action) const {
    try {
      action();
    } catch (const Error& error) {
      CHECK(error.code() == 0);  // a refusal of ours, not an accident on the way
      CHECK_FALSE(error.reason().empty());
      return error.what();
    }
    FAIL("nothing was refused");
    return {};
  }
  // Nothing outside the store has changed and nothing of a refused archive is in it.
  void check_untouched() const {
    CHECK(picture(path / "outside") == before_);
    for (const char* part : {"layers", "tmp", "images/blobs/sha256"})
      if (fs::exists(data / part)) CHECK(fs::is_empty(data / part));
    CHECK(store().list().empty());
  }
  fs::path layer(const std::string& diff_id) const { return data / "layers" / diff_id.substr(7); }

  // Name, kind, mode, size, time and content of everything below `root`.
  static std::map<std::string, std::string> picture(const fs::path& root) {
    std::map<std::string, std::string> entries;
    for (const auto& entry : fs::recursive_directory_iterator(root)) {
      struct stat status;
      REQUIRE(::lstat(entry.path().c_str(), &status) == 0);
      std::string text = std::to_string(status.st_mode) + " " + std::to_string(status.st_uid) + " " +
                         std::to_string(status.st_mtim.tv_sec) + "." + std::to_string(status.st_mtim.tv_nsec) + " " +
                         std::to_string(status.st_nlink) + " ";
      if (S_ISREG(status.st_mode)) text += sys::read_file(entry.path().string());
      entries[entry.path().lexically_relative(root).string()] = text;
    }
    return entries;
  }

  fs::path path, data;

 private:
  // In memory where it can be: records are synced to the disk, which a busy machine makes slow.
  static fs::path base() {
    return sys::geteuid() == 0 && fs::exists("/dev/shm") ? fs::path("/dev/shm") : fs::temp_directory_path();
  }

  std::map<std::string, std::string> before_;
};

// Loads one layer in a docker archive and expects a refusal that contains `words`.
inline void expect_refusal(Tar& tar, const std::string& words, const image::LoadOptions& options = {}) {
  const Sandbox box;
  const std::string archive = DockerArchive{{tar.bytes()}}.bytes();
  const std::string sentence = box.refusal([&] { box.load(archive, options); });
  INFO(sentence);
  CHECK(sentence.find(words) != std::string::npos);
  CHECK(sentence.find('\n') == std::string::npos);
  box.check_untouched();
}

}  // namespace drydock::test
