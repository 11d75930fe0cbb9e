// Where things lie in the store, and the record that a run reads. Internal to image/.
//
// Example: layout::layer("/var/lib/drydock", "sha256:ab12...") == "/var/lib/drydock/layers/ab12..."
// Source: image-layout.md of the OCI image specification for images/; the rest is Drydock's own.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <drydock/image/store.hpp>

namespace drydock::image {

namespace layout {
inline constexpr std::string_view version_file = "{\"imageLayoutVersion\":\"1.0.0\"}";

std::string images(const std::string& data);      // the OCI layout
std::string references(const std::string& data);  // the records
std::string layers(const std::string& data);      // unpacked layers
std::string temporary(const std::string& data);   // work in progress: import-<random>/
std::string hold(const std::string& data);        // flock(2), shared by imports and starting containers: nothing is deleted
std::string blob(const std::string& data, std::string_view digest);
std::string layer(const std::string& data, std::string_view diff_id);
// '/' is no part of a file name: "a/b:1" is kept as "a+b:1.json" ('+' cannot stand in a reference).
std::string record(const std::string& data, std::string_view reference);
}  // namespace layout

// "sha256:" and 64 lower-case hexadecimal digits: the only form that may become a file name.
bool is_digest(std::string_view text);
// The digits of a digest. Throws Error::refused for anything else.
std::string digest_hex(std::string_view digest);

struct Descriptor {  // content by digest: descriptor.md of the OCI image specification
  std::string digest, media_type;
  std::uint64_t size = 0;  // bytes
};

struct LayerRecord {
  Descriptor blob;
  std::string diff_id;
};

struct Record {
  std::string reference;  // empty: known by its id only, and kept under "sha256:<id>"
  Descriptor manifest, config;
  std::vector<LayerRecord> layers;  // lowest first
  std::string created;
  Config run_config;
};

std::string to_json(const Record& record);
// Throws Error::refused when the text is no record (a damaged store).
Record record_from_json(const std::string& text, const std::string& path);
std::string record_name(const Record& record);  // what layout::record takes
Image image_of(const std::string& data, const Record& record);
// Every record of the store, sorted by reference.
std::vector<Record> all_records(const std::string& data);
Record find_record(const std::string& data, const std::string& reference);

// What a run needs of a configuration blob, and its diff ids and date. Throws Error::refused when it is no image configuration.
struct ParsedConfig {
  Config config;
  std::vector<std::string> diff_ids;
  std::string created;
};
ParsedConfig parse_config(const std::string& json);
// The history rows of a configuration blob, each non-empty one joined with its layer.
std::vector<HistoryEntry> parse_history(const std::string& json, const std::vector<LayerRecord>& layers);

}  // namespace drydock::image
