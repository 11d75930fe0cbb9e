#include <drydock/image/archive/garbage.hpp>

#include <nlohmann/json.hpp>

#include <drydock/image/layout.hpp>
#include <drydock/kernel/sys.hpp>

namespace drydock::image {

using nlohmann::json;

namespace {

// Marks the blob and, when it is an index or a manifest, all that it names.
void reach(const std::string& data, const json& descriptor, std::set<std::string>& reached, int depth) {
  if (!descriptor.is_object() || depth > 8) return;
  const std::string digest = descriptor.value("digest", "");
  if (!is_digest(digest) || !reached.insert(digest).second) return;
  const std::string type = descriptor.value("mediaType", "");
  if (type.find("index") == std::string::npos && type.find("manifest") == std::string::npos) return;
  const auto text = sys::read_file_if_present(layout::blob(data, digest));
  const json content = text ? json::parse(*text, nullptr, false) : json();
  if (!content.is_object()) return;
  for (const char* list : {"manifests", "layers"})
    if (const auto found = content.find(list); found != content.end() && found->is_array())
      for (const json& child : *found) reach(data, child, reached, depth + 1);
  if (const auto config = content.find("config"); config != content.end()) reach(data, *config, reached, depth + 1);
}

}  // namespace

namespace {

Garbage find(const std::string& data, const std::set<std::string>& layers_in_use) {
  std::set<std::string> reached, layers = layers_in_use;
  const json index = json::parse(sys::read_file(layout::images(data) + "/index.json"), nullptr, false);
  if (const auto found = index.find("manifests"); found != index.end())
    for (const json& entry : *found) reach(data, entry, reached, 0);
  for (const Record& record : all_records(data))
    for (const LayerRecord& layer : record.layers) {
      layers.insert(layout::layer(data, layer.diff_id));
      reached.insert({record.manifest.digest, record.config.digest, layer.blob.digest});
    }
  Garbage garbage;
  for (const std::string& name : sys::list_directory(layout::images(data) + "/blobs/sha256"))
    if (const std::string digest = "sha256:" + name; is_digest(digest) && !reached.contains(digest))
      garbage.blobs.push_back(digest);
  for (const std::string& name : sys::list_directory(layout::layers(data)))
    if (const std::string id = "sha256:" + name; is_digest(id) && !layers.contains(layout::layer(data, id)))
      garbage.layers.push_back(id);
  return garbage;
}

}  // namespace

Garbage find_garbage(const std::string& data, const std::set<std::string>& layers_in_use) {
  try {
    return find(data, layers_in_use);
  } catch (const json::exception&) {
    return {};  // another tool wrote an index that cannot be understood: then nothing is known to be garbage
  }
}

}  // namespace drydock::image
