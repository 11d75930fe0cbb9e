// The configuration blob of an image: what a run, `history` and the import checks need of it.
// Source: config.md of the OCI image specification 1.1; Docker's image specification v1.2 (the same fields).
#include <nlohmann/json.hpp>

#include <drydock/image/layout.hpp>
#include <drydock/kernel/error.hpp>

namespace drydock::image {

using nlohmann::json;

namespace {

// Docker writes null for an empty list, an empty object and an empty string alike.
const json& field(const json& object, const char* name) {
  static const json none;
  const auto found = object.find(name);
  return found == object.end() ? none : *found;
}

std::string text(const json& object, const char* name) {
  const json& value = field(object, name);
  return value.is_null() ? std::string{} : value.get<std::string>();
}

std::vector<std::string> texts(const json& object, const char* name) {
  const json& value = field(object, name);
  return value.is_null() ? std::vector<std::string>{} : value.get<std::vector<std::string>>();
}

// {"80/tcp": {}} -> {"80/tcp"}
std::vector<std::string> keys(const json& object, const char* name) {
  std::vector<std::string> names;
  const json& value = field(object, name);
  if (value.is_null()) return names;
  if (!value.is_object()) throw Error::refused("image configuration", std::string(name) + " is not an object");
  for (const auto& item : value.items()) names.push_back(item.key());
  return names;
}

Config run_config(const json& document) {
  Config config;
  config.architecture = text(document, "architecture");
  config.os = text(document, "os");
  const json& inner = field(document, "config");
  if (inner.is_null()) return config;
  config.entrypoint = texts(inner, "Entrypoint");
  config.command = texts(inner, "Cmd");
  config.env = texts(inner, "Env");
  config.volumes = keys(inner, "Volumes");
  config.exposed_ports = keys(inner, "ExposedPorts");
  config.working_directory = text(inner, "WorkingDir");
  config.user = text(inner, "User");
  config.stop_signal = text(inner, "StopSignal");
  return config;
}

}  // namespace

ParsedConfig parse_config(const std::string& content) {
  try {
    const json document = json::parse(content);
    if (!document.is_object()) throw Error::refused("image configuration", "it is not a JSON object");
    ParsedConfig parsed;
    parsed.config = run_config(document);
    parsed.created = text(document, "created");
    const json& root = field(document, "rootfs");
    if (root.is_null()) throw Error::refused("image configuration", "it has no rootfs, so this is no container image");
    parsed.diff_ids = texts(root, "diff_ids");
    for (const std::string& id : parsed.diff_ids) (void)digest_hex(id);
    return parsed;
  } catch (const json::exception& error) {
    throw Error::refused("image configuration", std::string("it cannot be understood: ") + error.what(),
                         "the archive is damaged or of an unknown kind");
  }
}

std::vector<HistoryEntry> parse_history(const std::string& content, const std::vector<LayerRecord>& layers) {
  try {
    const json document = json::parse(content);
    std::vector<HistoryEntry> entries;
    std::size_t layer = 0;
    const auto next_layer = [&](HistoryEntry& entry) {
      entry.size = layers[layer].blob.size;
      entry.diff_id = layers[layer++].diff_id;
    };
    for (const json& row : field(document, "history")) {
      HistoryEntry entry{text(row, "created"), text(row, "created_by"), text(row, "comment"), false, 0, {}};
      const json& empty = field(row, "empty_layer");
      entry.empty_layer = !empty.is_null() && empty.get<bool>();
      if (!entry.empty_layer && layer < layers.size()) next_layer(entry);
      entries.push_back(std::move(entry));
    }
    // Some builders write no history, or too little of it: every layer is listed all the same.
    while (layer < layers.size()) next_layer(entries.emplace_back());
    return entries;
  } catch (const json::exception& error) {
    throw Error::refused("image history", std::string("it cannot be understood: ") + error.what());
  }
}

}  // namespace drydock::image
