// The archive of `docker save`, and what podman and skopeo call docker-archive: manifest.json names a configuration and layers.
//
// Readers must follow links: old versions of docker write `<id>/layer.tar -> ../<other id>/layer.tar` for a layer that two images
// share. Source: moby, image/tarexport/load.go (what docker load accepts); containers/image, docker/internal/tarfile.
#include <nlohmann/json.hpp>

#include <drydock/image/archive/digest.hpp>
#include <drydock/image/archive/incoming.hpp>
#include <drydock/image/archive/media_types.hpp>
#include <drydock/kernel/error.hpp>

namespace drydock::image {

using nlohmann::json;

namespace {

// Names that promise a digest are held to it: "<64 digits>.json", "blobs/sha256/<64 digits>", "<64 digits>.tar" (of the diff id).
std::string promised_digest(const std::string& name, std::string_view suffix) {
  std::string base = name.substr(name.rfind('/') == std::string::npos ? 0 : name.rfind('/') + 1);
  const bool blob = name.starts_with("blobs/sha256/");
  if (!blob && !base.ends_with(suffix)) return {};
  if (!blob) base.resize(base.size() - suffix.size());
  const std::string digest = "sha256:" + base;
  return is_digest(digest) ? digest : std::string{};
}

IncomingImage image_from(Bundle& bundle, const json& item) {
  IncomingImage image;
  const std::string config_name = bundle.resolve(item.at("Config").get<std::string>());
  image.config = bundle.read(config_name);
  image.config_media_type = config_type;
  if (const std::string digest = promised_digest(config_name, ".json"); !digest.empty())
    check_digest(bundle.where(), config_name, image.config, digest);
  image.parsed = parse_config(image.config);
  const auto& names = item.at("Layers");
  const std::size_t count = names.is_null() ? 0 : names.size();
  if (count != image.parsed.diff_ids.size())
    throw Error::refused(bundle.where(),
                         "manifest.json lists " + std::to_string(count) + " layers and the configuration " +
                             std::to_string(image.parsed.diff_ids.size()),
                         "the archive is damaged; save the image again");
  for (std::size_t i = 0; i < count; ++i) {
    IncomingLayer layer;
    layer.member = bundle.resolve(names.at(i).get<std::string>());
    if (layer.member.starts_with("blobs/sha256/")) layer.blob.digest = promised_digest(layer.member, "");
    layer.diff_id = image.parsed.diff_ids[i];
    image.layers.push_back(std::move(layer));
  }
  if (const auto tags = item.find("RepoTags"); tags != item.end() && tags->is_array())
    for (const json& tag : *tags) image.references.push_back(normalized_reference(tag.get<std::string>()));
  return image;
}

}  // namespace

std::vector<IncomingImage> docker_images(Bundle& bundle) {
  try {
    const json manifest = json::parse(bundle.read(std::string("manifest.json")));
    if (!manifest.is_array() || manifest.empty())
      throw Error::refused(bundle.where(), "its manifest.json lists no image", "the archive is damaged; save the image again");
    std::vector<IncomingImage> images;
    for (const json& item : manifest) images.push_back(image_from(bundle, item));
    return images;
  } catch (const json::exception& error) {
    throw Error::refused(bundle.where(), std::string("its manifest.json cannot be understood: ") + error.what(),
                         "the archive is damaged; save the image again");
  }
}

}  // namespace drydock::image
