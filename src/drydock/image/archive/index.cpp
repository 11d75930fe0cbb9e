#include <drydock/image/archive/index.hpp>

#include <nlohmann/json.hpp>

#include <drydock/image/archive/media_types.hpp>

namespace drydock::image {

using json = nlohmann::ordered_json;

namespace {

constexpr const char* own_mark = "io.drydock.record";  // tells our entries from those of other tools

json descriptor_json(const Descriptor& descriptor) {
  return {{"mediaType", descriptor.media_type}, {"digest", descriptor.digest}, {"size", descriptor.size}};
}

json entry_of(const Record& record) {
  json entry = descriptor_json(record.manifest);
  entry["annotations"] = json::object();
  if (!record.reference.empty()) entry["annotations"]["org.opencontainers.image.ref.name"] = record.reference;
  entry["annotations"][own_mark] = record_name(record);
  return entry;
}

bool is_ours(const json& entry) {
  const auto annotations = entry.find("annotations");
  return annotations != entry.end() && annotations->is_object() && annotations->contains(own_mark);
}

}  // namespace

std::string empty_index() {
  return json({{"schemaVersion", 2}, {"mediaType", index_type}, {"manifests", json::array()}}).dump();
}

std::string index_of(const std::vector<Record>& records, const std::string& present) {
  json index = json::parse(present, nullptr, false);
  json entries = json::array();
  for (const Record& record : records) entries.push_back(entry_of(record));
  if (!index.is_object()) index = json::parse(empty_index());
  if (const auto found = index.find("manifests"); found != index.end() && found->is_array())
    for (const json& entry : *found)
      if (entry.is_object() && !is_ours(entry)) entries.push_back(entry);
  index["manifests"] = std::move(entries);
  return index.dump(1);
}

std::string make_manifest(const Descriptor& config, const std::vector<LayerRecord>& layers) {
  json manifest = {
      {"schemaVersion", 2}, {"mediaType", manifest_type}, {"config", descriptor_json(config)}, {"layers", json::array()}};
  for (const LayerRecord& layer : layers) manifest["layers"].push_back(descriptor_json(layer.blob));
  return manifest.dump();
}

}  // namespace drydock::image
