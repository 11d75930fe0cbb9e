// The image store: a content-addressed OCI image layout, and beside it each layer unpacked in overlay form.
//
// Reading (what a run needs) is cheap and needs only JSON; writing images lives in image/archive/.
//   DATA/images/            an OCI image layout that other tools can read: index.json, oci-layout, blobs/sha256/<digest>
//   DATA/references/*.json  one small record per reference: all that a run needs, in one read
//   DATA/layers/<diff id>/  the unpacked layer: whiteouts as char 0:0, opaque directories with trusted.overlay.opaque
//                           (rootless: user.overlay.opaque). Mode 0700: layers hold setuid programs.
//
// Example: Store store("/var/lib/drydock"); Image image = store.find("busybox"); image.layers are overlay lower directories.
// Source: OCI image specification 1.1 (image-layout.md, config.md, layer.md); overlayfs.rst in the kernel documentation.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <drydock/kernel/fd.hpp>

namespace drydock::image {

struct Config {  // the part of the OCI configuration that a run needs
  std::vector<std::string> entrypoint, command, env, volumes, exposed_ports;
  std::string working_directory, user, architecture, os;
  std::string stop_signal;
};

struct HistoryEntry {
  std::string created, created_by, comment;
  bool empty_layer = false;
  std::uint64_t size = 0;  // bytes of the compressed layer blob, 0 for an empty one
  std::string diff_id;     // empty for an empty layer
};

struct Image {
  std::string reference;                   // "busybox:latest"; empty for an image without a name
  std::string manifest_digest;             // "sha256:..."
  std::string config_digest;               // Docker's image id
  std::vector<std::string> layer_digests;  // of the blobs, lowest first
  std::vector<std::string> diff_ids;       // of the uncompressed layers, lowest first
  std::vector<std::string> layers;         // unpacked directories, lowest first
  std::uint64_t size = 0;                  // bytes, sum of the layer blobs
  std::string created;                     // RFC 3339
  Config config;
};

// "busybox" -> "busybox:latest", "docker.io/library/busybox" -> the same; throws Error for a reference that Docker would refuse.
// A reference by digest keeps its form ("busybox@sha256:...").
std::string normalized_reference(const std::string& reference);

class Store {
 public:
  explicit Store(std::string data_directory);
  const std::string& directory() const { return directory_; }

  // Images by reference; sorted. An empty or missing store is an empty list.
  std::vector<Image> list() const;
  // By reference, by image id (config digest, unique prefix). Throws Error with what there is instead.
  Image find(const std::string& reference) const;
  // The same, empty when there is none.
  std::optional<Image> find_if_present(const std::string& reference) const;
  bool contains(const std::string& reference) const;
  // For as long as the descriptor is open no layer is deleted: between find() and the ledger that names the layers, nobody else
  // knows that a container wants them.
  Fd hold() const;
  std::vector<HistoryEntry> history(const std::string& reference) const;
  // The raw JSON of the configuration blob.
  std::string config_json(const std::string& reference) const;

 private:
  std::string directory_;
};

// What `image inspect` prints for one image: a JSON object with Docker's field names.
std::string inspect_json(const Store& store, const std::string& reference);

}  // namespace drydock::image
