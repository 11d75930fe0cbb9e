// What an archive offers, before anything of it is written: its images as lists of named files with the digests they must have.
//
// Example: for (IncomingImage& image : images_in(*bundle, "alpine")) ... image.layers[0].member ...
// Errors: Error::refused for what is no image archive, for wrong digests, missing files, unknown kinds of content.
// Source: manifest.md, image-index.md, image-layout.md of the OCI image specification 1.1; `docker save` (moby image/tarexport).
#pragma once

#include <string>
#include <vector>

#include <drydock/image/archive/bundle.hpp>
#include <drydock/image/layout.hpp>

namespace drydock::image {

struct IncomingLayer {
  std::string member;   // (resolved) name in the bundle
  Descriptor blob;      // digest empty: the archive promises none (docker save without digests in the names)
  std::string diff_id;  // from the configuration
};

struct IncomingImage {
  std::vector<std::string> references;  // normalized; may be empty
  std::string manifest;                 // as it is in the archive; empty: one must be made
  Descriptor manifest_blob;             // when there is a manifest
  std::string config;                   // as it is in the archive: its digest is the image's id
  std::string config_media_type;
  ParsedConfig parsed;
  std::vector<IncomingLayer> layers;  // lowest first
};

// OCI layout where there is one (its manifests keep their digests), else docker save format.
// `base_name`: the name for images whose layout gives only a tag ("latest"); empty: those have no name.
std::vector<IncomingImage> images_in(Bundle& bundle, const std::string& base_name);

std::vector<IncomingImage> docker_images(Bundle& bundle);
std::vector<IncomingImage> oci_images(Bundle& bundle, const std::string& base_name);

// Throws Error::refused unless `content` hashes to `digest`.
void check_digest(const std::string& where, const std::string& name, const std::string& content, const std::string& digest);
// "amd64", "arm64": the names of the OCI specification (those of Go).
std::string machine_architecture();

}  // namespace drydock::image
