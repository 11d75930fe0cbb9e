// index.json of the store's OCI layout: written from the records, with what other tools put there left in place.
//
// Example: sys::replace_file(path, index_of(all_records(data), old_text))
// Source: image-index.md and annotations.md of the OCI image specification 1.1.
#pragma once

#include <string>
#include <vector>

#include <drydock/image/layout.hpp>

namespace drydock::image {

std::string empty_index();
// One entry per record; entries of `present` that are not Drydock's own are kept.
std::string index_of(const std::vector<Record>& records, const std::string& present);
// The manifest of an image whose archive brought none (docker save).
std::string make_manifest(const Descriptor& config, const std::vector<LayerRecord>& layers);

}  // namespace drydock::image
