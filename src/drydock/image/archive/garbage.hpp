// What no image needs any more: blobs that nothing in index.json reaches, layers that no record and no container names.
//
// Example: for (const std::string& digest : find_garbage(data, {}).blobs) sys::unlink(layout::blob(data, digest));
// Source: descriptor.md and image-index.md of the OCI image specification (what refers to what).
#pragma once

#include <set>
#include <string>
#include <vector>

namespace drydock::image {

struct Garbage {
  std::vector<std::string> blobs, layers;  // digests, diff ids
};

// `layers_in_use` are directories. The caller holds the store's lock, and no import is under way.
Garbage find_garbage(const std::string& data, const std::set<std::string>& layers_in_use);

}  // namespace drydock::image
