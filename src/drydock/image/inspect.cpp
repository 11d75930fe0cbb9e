// `drydock image inspect`: Docker's field names, so that scripts written for `docker image inspect` find what they look for.
// Source: the Docker Engine API, ImageInspect.
#include <nlohmann/json.hpp>

#include <drydock/image/layout.hpp>
#include <drydock/image/store.hpp>
#include <drydock/kernel/error.hpp>
#include <drydock/kernel/sys.hpp>

namespace drydock::image {

using json = nlohmann::ordered_json;

std::string inspect_json(const Store& store, const std::string& reference) {
  const Record record = find_record(store.directory(), reference);
  const Image image = image_of(store.directory(), record);
  json tags = json::array();
  json digests = json::array();
  for (const Record& other : all_records(store.directory())) {
    if (other.config.digest != record.config.digest || other.reference.empty()) continue;
    tags.push_back(other.reference);
    digests.push_back(other.reference.substr(0, other.reference.rfind(':')) + "@" + other.manifest.digest);
  }
  try {
    const json document = json::parse(sys::read_file(layout::blob(store.directory(), record.config.digest)));
    json layers = json::array();
    for (const LayerRecord& layer : record.layers)
      layers.push_back({{"DiffID", layer.diff_id},
                        {"Digest", layer.blob.digest},
                        {"MediaType", layer.blob.media_type},
                        {"Size", layer.blob.size},
                        {"Directory", layout::layer(store.directory(), layer.diff_id)}});
    const json value = {{"Id", image.config_digest},
                        {"RepoTags", tags},
                        {"RepoDigests", digests},
                        {"Manifest", image.manifest_digest},
                        {"Created", image.created},
                        {"Author", document.value("author", "")},
                        {"Architecture", image.config.architecture},
                        {"Os", image.config.os},
                        {"Size", image.size},
                        {"Config", document.value("config", json::object())},
                        {"RootFS", {{"Type", "layers"}, {"Layers", image.diff_ids}}},
                        {"Layers", layers}};
    return value.dump(4);
  } catch (const json::exception& error) {
    throw Error::refused("image '" + reference + "'", std::string("its configuration cannot be understood: ") + error.what());
  }
}

}  // namespace drydock::image
