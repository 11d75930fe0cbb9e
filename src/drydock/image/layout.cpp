#include <drydock/image/layout.hpp>

#include <algorithm>
#include <iterator>

#include <nlohmann/json.hpp>

#include <drydock/kernel/error.hpp>
#include <drydock/kernel/sys.hpp>

namespace drydock::image {

using nlohmann::json;

namespace layout {

std::string images(const std::string& data) {
  return data + "/images";
}
std::string references(const std::string& data) {
  return data + "/references";
}
std::string hold(const std::string& data) {
  return references(data) + "/.importing";
}

std::string layers(const std::string& data) {
  return data + "/layers";
}
std::string temporary(const std::string& data) {
  return data + "/tmp";
}

std::string blob(const std::string& data, std::string_view digest) {
  return images(data) + "/blobs/sha256/" + digest_hex(digest);
}

std::string layer(const std::string& data, std::string_view diff_id) {
  return layers(data) + "/" + digest_hex(diff_id);
}

std::string record(const std::string& data, std::string_view reference) {
  std::string name(reference);
  std::replace(name.begin(), name.end(), '/', '+');
  return references(data) + "/" + name + ".json";
}

}  // namespace layout

bool is_digest(std::string_view text) {
  constexpr std::string_view prefix = "sha256:";
  return text.size() == prefix.size() + 64 && text.starts_with(prefix) &&
         text.find_first_not_of("0123456789abcdef", prefix.size()) == std::string_view::npos;
}

std::string digest_hex(std::string_view digest) {
  if (!is_digest(digest))
    throw Error::refused("digest '" + std::string(digest.substr(0, 80)) + "'", "it is not 'sha256:' and 64 hexadecimal digits",
                         "Drydock knows sha256 only");
  return std::string(digest.substr(7));
}

namespace {

json descriptor_json(const Descriptor& descriptor) {
  return {{"digest", descriptor.digest}, {"mediaType", descriptor.media_type}, {"size", descriptor.size}};
}

Descriptor descriptor_from(const json& value) {
  Descriptor descriptor{value.at("digest").get<std::string>(), value.at("mediaType").get<std::string>(),
                        value.at("size").get<std::uint64_t>()};
  (void)digest_hex(descriptor.digest);
  return descriptor;
}

json config_json_of(const Config& config) {
  return {{"entrypoint", config.entrypoint},
          {"command", config.command},
          {"env", config.env},
          {"volumes", config.volumes},
          {"exposed_ports", config.exposed_ports},
          {"working_directory", config.working_directory},
          {"user", config.user},
          {"architecture", config.architecture},
          {"os", config.os},
          {"stop_signal", config.stop_signal}};
}

Config config_from(const json& value) {
  Config config;
  value.at("entrypoint").get_to(config.entrypoint);
  value.at("command").get_to(config.command);
  value.at("env").get_to(config.env);
  value.at("volumes").get_to(config.volumes);
  value.at("exposed_ports").get_to(config.exposed_ports);
  value.at("working_directory").get_to(config.working_directory);
  value.at("user").get_to(config.user);
  value.at("architecture").get_to(config.architecture);
  value.at("os").get_to(config.os);
  value.at("stop_signal").get_to(config.stop_signal);
  return config;
}

}  // namespace

std::string to_json(const Record& record) {
  json layers = json::array();
  for (const LayerRecord& layer : record.layers) {
    json entry = descriptor_json(layer.blob);
    entry["diff_id"] = layer.diff_id;
    layers.push_back(std::move(entry));
  }
  const json value = {{"reference", record.reference},
                      {"manifest", descriptor_json(record.manifest)},
                      {"config", descriptor_json(record.config)},
                      {"layers", std::move(layers)},
                      {"created", record.created},
                      {"run", config_json_of(record.run_config)}};
  return value.dump(1) + "\n";
}

Record record_from_json(const std::string& text, const std::string& path) {
  try {
    const json value = json::parse(text);
    Record record;
    value.at("reference").get_to(record.reference);
    record.manifest = descriptor_from(value.at("manifest"));
    record.config = descriptor_from(value.at("config"));
    for (const json& layer : value.at("layers")) {
      record.layers.push_back({descriptor_from(layer), layer.at("diff_id").get<std::string>()});
      (void)digest_hex(record.layers.back().diff_id);
    }
    value.at("created").get_to(record.created);
    record.run_config = config_from(value.at("run"));
    return record;
  } catch (const json::exception& error) {
    throw Error::refused("image record '" + path + "'", std::string("it is damaged: ") + error.what(),
                         "delete the file and load the image again");
  }
}

std::string record_name(const Record& record) {
  return record.reference.empty() ? record.config.digest : record.reference;
}

Image image_of(const std::string& data, const Record& record) {
  Image image;
  image.reference = record.reference;
  image.manifest_digest = record.manifest.digest;
  image.config_digest = record.config.digest;
  for (const LayerRecord& layer : record.layers) {
    image.layer_digests.push_back(layer.blob.digest);
    image.diff_ids.push_back(layer.diff_id);
    image.layers.push_back(layout::layer(data, layer.diff_id));
    image.size += layer.blob.size;
  }
  image.created = record.created;
  image.config = record.run_config;
  return image;
}

std::vector<Record> all_records(const std::string& data) {
  const std::string directory = layout::references(data);
  std::vector<Record> records;
  if (!sys::exists(directory)) return records;
  for (const std::string& name : sys::list_directory(directory)) {
    if (!name.ends_with(".json")) continue;  // a temporary of replace_file whose writer was killed
    const std::string path = directory + "/" + name;
    const auto text = sys::read_file_if_present(path);
    if (text) records.push_back(record_from_json(*text, path));  // gone since the listing: another command removed it
  }
  std::sort(records.begin(), records.end(), [](const Record& a, const Record& b) { return record_name(a) < record_name(b); });
  return records;
}

}  // namespace drydock::image
