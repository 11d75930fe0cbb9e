#include <drydock/image/archive/load.hpp>

#include <fcntl.h>

#include <map>

#include <drydock/image/archive/incoming.hpp>
#include <drydock/image/archive/index.hpp>
#include <drydock/image/archive/media_types.hpp>
#include <drydock/image/archive/unpack.hpp>
#include <drydock/kernel/error.hpp>
#include <drydock/kernel/sys.hpp>

namespace drydock::image {

namespace {

struct Unpacked {
  LayerRecord record;
  std::uint64_t devices_left_out = 0;
};
// By member and diff id: two images may (wrongly) expect different things of one file.
using LayerKey = std::pair<std::string, std::string>;
using UnpackedLayers = std::map<LayerKey, Unpacked>;

[[noreturn]] void refuse_digest(const Bundle& bundle, const std::string& what, const std::string& actual,
                                const std::string& expected) {
  throw Error::refused(bundle.where(), what + " hashes to " + actual + " instead of " + expected,
                       "the archive is damaged or was tampered with; save the image again");
}

void check(const Bundle& bundle, const IncomingLayer& expected, const LayerResult& result) {
  if (!expected.blob.digest.empty() && result.blob_digest != expected.blob.digest)
    refuse_digest(bundle, "layer '" + expected.member + "'", result.blob_digest, expected.blob.digest);
  if (result.diff_id != expected.diff_id)
    refuse_digest(bundle, "the content of layer '" + expected.member + "'", result.diff_id, expected.diff_id);
}

// What the store has already is neither copied nor unpacked.
std::optional<LayerRecord> present(const Editor& editor, const IncomingLayer& layer) {
  if (layer.blob.digest.empty()) return editor.known_layer(layer.diff_id);
  if (!editor.has_layer(layer.diff_id, layer.blob.digest)) return std::nullopt;
  const std::string path = layout::blob(editor.data(), layer.blob.digest);
  LayerRecord record{layer.blob, layer.diff_id};
  record.blob.size = static_cast<std::uint64_t>(sys::lstat(path).value().st_size);
  return record;
}

class Loader {
 public:
  Loader(Editor& editor, Bundle& bundle, const Limits& limits) : editor_(editor), bundle_(bundle), budget_(limits) {}

  std::vector<Record> run(const std::vector<IncomingImage>& images) {
    unpack_missing(images);
    std::vector<Record> records;
    for (const IncomingImage& image : images) add_records(image, records);
    return records;
  }
  std::uint64_t devices_left_out() const { return devices_left_out_; }

 private:
  void unpack_missing(const std::vector<IncomingImage>& images);
  void unpack(const IncomingLayer& layer, ByteSource& source);
  void add_records(const IncomingImage& image, std::vector<Record>& records);

  Editor& editor_;
  Bundle& bundle_;
  Budget budget_;
  UnpackedLayers layers_;
  std::uint64_t devices_left_out_ = 0;
};

void Loader::unpack_missing(const std::vector<IncomingImage>& images) {
  std::map<std::string, const IncomingLayer*> wanted;
  std::set<std::string> members;
  for (const IncomingImage& image : images)
    for (const IncomingLayer& layer : image.layers) {
      if (const auto known = present(editor_, layer)) {
        layers_[{layer.member, layer.diff_id}] = {*known, 0};
        continue;
      }
      const auto [at, fresh] = wanted.emplace(layer.member, &layer);
      if (!fresh && at->second->diff_id != layer.diff_id)
        throw Error::refused(bundle_.where(), "two images expect different contents of '" + layer.member + "'");
      members.insert(layer.member);
    }
  bundle_.visit(members, [&](const std::string& member, ByteSource& source) { unpack(*wanted.at(member), source); });
}

void Loader::unpack(const IncomingLayer& layer, ByteSource& source) {
  const std::string path = editor_.scratch() + "/layer-" + std::to_string(layers_.size());
  sys::mkdir(path, 0755);
  LayerTarget target{bundle_.where() + ", layer '" + layer.member + "'",
                     sys::open(path + ".blob", O_WRONLY | O_CREAT | O_EXCL, 0644), sys::open(path, O_RDONLY | O_DIRECTORY)};
  const LayerResult result = unpack_layer(source, std::move(target), budget_);
  check(bundle_, layer, result);
  // The manifest's word for the media type stands: its digest must not change.
  const std::string type = layer.blob.media_type.empty() ? result.media_type : layer.blob.media_type;
  editor_.add_blob(path + ".blob", result.blob_digest);
  editor_.add_layer(path, result.diff_id);
  devices_left_out_ += result.devices_left_out;
  layers_[{layer.member, layer.diff_id}] = {{{result.blob_digest, type, result.blob_size}, result.diff_id},
                                            result.devices_left_out};
}

void Loader::add_records(const IncomingImage& image, std::vector<Record>& records) {
  Record record;
  record.created = image.parsed.created;
  record.run_config = image.parsed.config;
  for (const IncomingLayer& layer : image.layers) record.layers.push_back(layers_.at({layer.member, layer.diff_id}).record);
  record.config = editor_.add_blob_text(image.config, image.config_media_type);
  if (image.manifest.empty())
    record.manifest = editor_.add_blob_text(make_manifest(record.config, record.layers), std::string(manifest_type));
  else
    record.manifest = editor_.add_blob_text(image.manifest, image.manifest_blob.media_type);
  if (image.references.empty()) records.push_back(record);
  for (const std::string& reference : image.references) {
    record.reference = reference;
    records.push_back(record);
  }
}

// "/tmp/alpine.tar.gz" -> "alpine"; empty when that is no image name.
std::string base_name_of(const std::string& path) {
  std::string name = path;
  while (name.ends_with('/')) name.pop_back();
  name = name.substr(name.rfind('/') == std::string::npos ? 0 : name.rfind('/') + 1);
  for (const char* suffix : {".gz", ".zst", ".tgz", ".tar", ".oci", "-oci"})
    if (name.size() > std::string_view(suffix).size() && name.ends_with(suffix))
      name.resize(name.size() - std::string_view(suffix).size());
  try {
    return normalized_reference(name) == name + ":latest" ? name : std::string{};
  } catch (const Error&) {
    return {};
  }
}

std::vector<Loaded> load(Editor& editor, Bundle& bundle, const LoadOptions& options, const std::string& base_name) {
  std::vector<IncomingImage> images = images_in(bundle, base_name);
  if (!options.name.empty()) {
    if (images.size() != 1)
      throw Error::refused(bundle.where(), "it has " + std::to_string(images.size()) + " images, which cannot share one name");
    images[0].references = {normalized_reference(options.name)};
  }
  Loader loader(editor, bundle, options.limits);
  const std::vector<Record> records = loader.run(images);
  editor.commit(records, options.sync);
  std::vector<Loaded> loaded;
  for (const Record& record : records) loaded.push_back({record.reference, record.config.digest, loader.devices_left_out()});
  return loaded;
}

}  // namespace

std::vector<Loaded> load_images(const std::string& data, const std::string& path, const LoadOptions& options) {
  Editor editor(data, options.used);
  const auto bundle = open_bundle(path, editor.scratch(), options.limits);
  return load(editor, *bundle, options, base_name_of(path));
}

std::vector<Loaded> load_images(const std::string& data, Fd archive, const LoadOptions& options) {
  Editor editor(data, options.used);
  const auto bundle = open_bundle(std::move(archive), "archive");
  return load(editor, *bundle, options, {});
}

}  // namespace drydock::image
