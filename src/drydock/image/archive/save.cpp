#include <drydock/image/archive/save.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <set>

#include <nlohmann/json.hpp>

#include <drydock/image/archive/tar_writer.hpp>
#include <drydock/kernel/error.hpp>
#include <drydock/kernel/raw.hpp>
#include <drydock/kernel/sys.hpp>

namespace drydock::image {

using json = nlohmann::ordered_json;
using namespace nlohmann::literals;

namespace {

class TarSink : public ImageSink {
 public:
  explicit TarSink(std::function<void(std::string_view)> out) : tar_(std::move(out), Compression::none) {}
  void file(const std::string& name, std::uint64_t size, ByteSource& content) override { tar_.file(name, 0644, size, content); }
  void finish() override { tar_.finish(); }

 private:
  TarWriter tar_;
};

class DirectorySink : public ImageSink {
 public:
  explicit DirectorySink(std::string path) : path_(std::move(path)) { sys::mkdirs(path_ + "/blobs/sha256"); }
  void file(const std::string& name, std::uint64_t, ByteSource& content) override {
    const std::string target = path_ + "/" + name;
    const std::string temporary = target + "." + sys::random_hex(8);
    const Fd file = sys::open(temporary, O_WRONLY | O_CREAT | O_EXCL, 0644);
    for (std::string_view bytes = content.next(); !bytes.empty(); bytes = content.next()) sys::write_all(file, bytes);
    sys::rename(temporary, target);
  }
  std::string present_index() override { return sys::read_file_if_present(path_ + "/index.json").value_or(""); }
  void finish() override {}

 private:
  std::string path_;
};

class OpenFile : public ByteSource {
 public:
  explicit OpenFile(Fd file) : file_(std::move(file)), source_(file_) {}
  std::string_view next() override { return source_.next(); }

 private:
  Fd file_;
  FileSource source_;
};

// "busybox:latest" -> "docker.io/library/busybox:latest": how containerd, and docker since 25.0, write it.
std::string full_name(const std::string& reference) {
  const std::size_t slash = reference.find('/');
  if (slash == std::string::npos) return "docker.io/library/" + reference;
  const std::string host = reference.substr(0, slash);
  return host == "localhost" || host.find_first_of(".:") != std::string::npos ? reference : "docker.io/" + reference;
}

// Entries of a layout that is there already and has images of other names.
json kept_entries(const std::string& present, const std::vector<Record>& records) {
  json kept = json::array();
  const json index = json::parse(present, nullptr, false);
  const auto entries = index.is_object() ? index.find("manifests") : index.end();
  if (!index.is_object() || entries == index.end() || !entries->is_array()) return kept;
  for (const json& entry : *entries) {
    const json name = entry.value("/annotations/org.opencontainers.image.ref.name"_json_pointer, json());
    const auto replaced = [&](const Record& record) {
      return name == record.reference || (name.is_null() && entry.value("digest", "") == record.manifest.digest);
    };
    if (std::none_of(records.begin(), records.end(), replaced)) kept.push_back(entry);
  }
  return kept;
}

std::string index_json(const std::vector<Record>& records, const std::string& present) {
  json entries = kept_entries(present, records);
  for (const Record& record : records) {
    json entry = {{"mediaType", record.manifest.media_type}, {"digest", record.manifest.digest}, {"size", record.manifest.size}};
    if (!record.reference.empty())
      entry["annotations"] = {{"io.containerd.image.name", full_name(record.reference)},
                              {"org.opencontainers.image.ref.name", record.reference}};
    entry["platform"] = {{"architecture", record.run_config.architecture}, {"os", record.run_config.os}};
    entries.push_back(std::move(entry));
  }
  return json({{"schemaVersion", 2}, {"mediaType", "application/vnd.oci.image.index.v1+json"}, {"manifests", entries}}).dump();
}

std::string blob_name(const Descriptor& blob) {
  return "blobs/sha256/" + digest_hex(blob.digest);
}

// One item per image, with all its names.
std::string manifest_json(const std::vector<Record>& records) {
  std::map<std::string, json> items;
  for (const Record& record : records) {
    json& item = items[record.config.digest];
    if (item.is_null()) {
      item = {{"Config", blob_name(record.config)}, {"RepoTags", json::array()}, {"Layers", json::array()}};
      for (const LayerRecord& layer : record.layers) item["Layers"].push_back(blob_name(layer.blob));
    }
    if (!record.reference.empty()) item["RepoTags"].push_back(record.reference);
  }
  json list = json::array();
  for (auto& [digest, item] : items) list.push_back(std::move(item));
  return list.dump();
}

void text_file(ImageSink& sink, const std::string& name, std::string_view content) {
  MemorySource source(content);
  sink.file(name, content.size(), source);
}

// Written under another name and renamed: an interrupted save leaves no half archive under the wanted one.
void save_to_file(const std::string& path, const std::function<void(const Fd&)>& write) {
  const auto status = sys::lstat(path);
  if (status && !S_ISREG(status->st_mode)) return write(sys::open(path, O_WRONLY));  // /dev/null, a pipe, a link
  const std::string temporary = path + "." + sys::random_hex(8);
  const long opened = raw::call(SYS_openat, AT_FDCWD, temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (raw::failed(opened)) throw Error::from_errno("openat", "\"" + path + "\", O_WRONLY|O_CREAT", raw::error_of(opened));
  try {
    write(Fd(static_cast<int>(opened)));
    sys::rename(temporary, path);
  } catch (...) {
    if (sys::exists(temporary)) sys::unlink_if_present(temporary);
    throw;
  }
}

bool wants_directory(const std::string& output) {
  if (output.ends_with('/')) return true;
  const auto status = sys::lstat(output);
  return status && S_ISDIR(status->st_mode);
}

}  // namespace

std::unique_ptr<ImageSink> tar_sink(std::function<void(std::string_view)> out) {
  return std::make_unique<TarSink>(std::move(out));
}

void write_images(const std::vector<Record>& records, const OpenBlob& open_blob, SaveFormat format, ImageSink& sink) {
  text_file(sink, "oci-layout", layout::version_file);
  if (format == SaveFormat::docker) text_file(sink, "manifest.json", manifest_json(records));
  std::set<std::string> written;
  const auto blob = [&](const Descriptor& descriptor) {
    if (written.insert(descriptor.digest).second) sink.file(blob_name(descriptor), descriptor.size, *open_blob(descriptor));
  };
  for (const Record& record : records) {
    blob(record.manifest);
    blob(record.config);
    for (const LayerRecord& layer : record.layers) blob(layer.blob);
  }
  text_file(sink, "index.json",
            index_json(records, sink.present_index()));  // last: a directory becomes a layout when all is there
  sink.finish();
}

void save_images(const std::string& data, const std::vector<std::string>& references, const std::string& output,
                 SaveFormat format) {
  const bool directory = wants_directory(output);
  if (directory && format != SaveFormat::oci)
    throw Error::refused("'" + output + "'", "it is a directory, and a docker archive is a file",
                         "name a file, or add --format oci");
  std::vector<Record> records;
  std::map<std::string, std::unique_ptr<ByteSource>> blobs;  // open before the first byte: a removal meanwhile does no harm
  const auto keep = [&](const Descriptor& blob) {
    if (!blobs.contains(blob.digest))
      blobs[blob.digest] = std::make_unique<OpenFile>(sys::open(layout::blob(data, blob.digest), O_RDONLY));
  };
  for (const std::string& reference : references) {
    const Record record = find_record(data, reference);
    const auto same = [&](const Record& other) { return record_name(other) == record_name(record); };
    if (std::any_of(records.begin(), records.end(), same)) continue;
    records.push_back(record);
    keep(record.manifest);
    keep(record.config);
    for (const LayerRecord& layer : record.layers) keep(layer.blob);
  }
  const OpenBlob open_blob = [&](const Descriptor& blob) { return std::move(blobs.at(blob.digest)); };
  if (directory) {
    DirectorySink sink(output);
    return write_images(records, open_blob, format, sink);
  }
  const auto write = [&](const Fd& file) {
    TarSink sink([&](std::string_view bytes) { sys::write_all(file, bytes); });
    write_images(records, open_blob, format, sink);
  };
  if (output != "-") return save_to_file(output, write);
  const long copy = raw::call(SYS_fcntl, STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
  if (raw::failed(copy)) throw Error::from_errno("fcntl", "standard output, F_DUPFD_CLOEXEC", raw::error_of(copy));
  write(Fd(static_cast<int>(copy)));
}

}  // namespace drydock::image
