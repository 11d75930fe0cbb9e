// An OCI image layout: index.json → (index →) manifest → configuration and layers, each named by digest.
// Source: image-layout.md, image-index.md, manifest.md and annotations.md of the OCI image specification 1.1.
#include <nlohmann/json.hpp>

#include <drydock/image/archive/digest.hpp>
#include <drydock/image/archive/incoming.hpp>
#include <drydock/image/archive/media_types.hpp>
#include <drydock/kernel/error.hpp>

namespace drydock::image {

using nlohmann::json;

namespace {

[[noreturn]] void refuse(const Bundle& bundle, const std::string& reason) {
  throw Error::refused(bundle.where(), reason, "the archive is damaged or not for this machine; save the image again");
}

Descriptor descriptor_from(const json& value) {
  Descriptor descriptor{value.at("digest").get<std::string>(), value.value("mediaType", ""),
                        value.value("size", std::uint64_t{0})};
  (void)digest_hex(descriptor.digest);
  return descriptor;
}

std::string member_of(const Descriptor& descriptor) {
  return "blobs/sha256/" + digest_hex(descriptor.digest);
}

// A small blob, held to its digest.
std::string content_of(Bundle& bundle, const Descriptor& descriptor) {
  std::string content = bundle.read(member_of(descriptor));
  check_digest(bundle.where(), member_of(descriptor), content, descriptor.digest);
  return content;
}

std::string annotation(const json& entry, const char* name) {
  const auto annotations = entry.find("annotations");
  return annotations != entry.end() && annotations->is_object() ? annotations->value(name, "") : std::string{};
}

// A full name where there is one; a bare tag (docker 25's, skopeo's "oci:dir:latest") is completed: from containerd's annotation
// when that has the same tag (umoci copies the annotation of the image it changed), else from the name of the file.
std::vector<std::string> references_of(const json& entry, const std::string& base_name) {
  std::string name = annotation(entry, "org.opencontainers.image.ref.name");
  const std::string full = annotation(entry, "io.containerd.image.name");
  if (name.empty() || full.ends_with(":" + name)) name = full.empty() ? name : full;
  if (name.find_first_of(":/") == std::string::npos) {
    if (base_name.empty()) return {};
    name = base_name + ":" + (name.empty() ? "latest" : name);
  }
  try {
    return {normalized_reference(name)};
  } catch (const Error&) {
    return {};  // names in a layout are free text; the image is still known by its id
  }
}

bool for_this_machine(const json& entry) {
  const auto platform = entry.find("platform");
  if (platform == entry.end() || !platform->is_object()) return true;
  return platform->value("os", "linux") == "linux" && platform->value("architecture", "") == machine_architecture();
}

IncomingImage image_from(Bundle& bundle, const Descriptor& blob) {
  IncomingImage image;
  image.manifest_blob = blob;
  image.manifest = content_of(bundle, blob);
  image.manifest_blob.size = image.manifest.size();
  if (image.manifest_blob.media_type.empty()) image.manifest_blob.media_type = manifest_type;
  const json manifest = json::parse(image.manifest);
  const Descriptor config = descriptor_from(manifest.at("config"));
  if (!is_config(config.media_type))
    refuse(bundle, "it is no container image but an artifact of type '" + config.media_type + "'");
  image.config_media_type = config.media_type;
  image.config = content_of(bundle, config);
  image.parsed = parse_config(image.config);
  const json& layers = manifest.at("layers");
  if (layers.size() != image.parsed.diff_ids.size())
    refuse(bundle, "the manifest lists " + std::to_string(layers.size()) + " layers and the configuration " +
                       std::to_string(image.parsed.diff_ids.size()));
  for (const json& layer : layers) {
    const Descriptor descriptor = descriptor_from(layer);
    if (!is_layer(descriptor.media_type)) refuse(bundle, "a layer is of the unknown kind '" + descriptor.media_type + "'");
    image.layers.push_back({bundle.resolve(member_of(descriptor)), descriptor, image.parsed.diff_ids[image.layers.size()]});
  }
  return image;
}

// Indexes nest: one of several platforms stands below the entry that has the name.
std::vector<IncomingImage> images_of(Bundle& bundle, const json& index, const std::vector<std::string>& inherited,
                                     const std::string& base_name, int depth) {
  if (depth > 4) refuse(bundle, "its indexes are nested too deeply");
  std::vector<IncomingImage> images;
  for (const json& entry : index.at("manifests")) {
    // Attestations (signatures, bills of materials) stand beside images in the same index.
    if (!annotation(entry, "vnd.docker.reference.type").empty() || !for_this_machine(entry)) continue;
    const Descriptor descriptor = descriptor_from(entry);
    const std::vector<std::string> names = depth == 0 ? references_of(entry, base_name) : inherited;
    if (is_index(descriptor.media_type)) {
      const json nested = json::parse(content_of(bundle, descriptor));
      for (IncomingImage& image : images_of(bundle, nested, names, base_name, depth + 1)) images.push_back(std::move(image));
    } else if (descriptor.media_type.empty() || is_manifest(descriptor.media_type)) {
      images.push_back(image_from(bundle, descriptor));
      images.back().references = names;
    }
  }
  return images;
}

}  // namespace

std::vector<IncomingImage> oci_images(Bundle& bundle, const std::string& base_name) {
  try {
    const json layout = json::parse(bundle.read(std::string("oci-layout")));
    if (const std::string version = layout.value("imageLayoutVersion", ""); !version.starts_with("1."))
      refuse(bundle, "it is an OCI layout of the unknown version '" + version + "'");
    const json index = json::parse(bundle.read(std::string("index.json")));
    // A bare tag can be the file's name for one image only.
    const bool single = index.at("manifests").size() == 1;
    std::vector<IncomingImage> images = images_of(bundle, index, {}, single ? base_name : std::string{}, 0);
    if (images.empty()) refuse(bundle, "it has no image for linux/" + machine_architecture());
    return images;
  } catch (const json::exception& error) {
    throw Error::refused(bundle.where(), std::string("its JSON cannot be understood: ") + error.what(),
                         "the archive is damaged; save the image again");
  }
}

}  // namespace drydock::image
