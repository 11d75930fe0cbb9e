// The media types of image content, and which of them are the same thing.
// Source: media-types.md of the OCI image specification 1.1; Docker image manifest version 2, schema 2.
#pragma once

#include <string>
#include <string_view>

#include <drydock/image/archive/bytes.hpp>

namespace drydock::image {

inline constexpr std::string_view manifest_type = "application/vnd.oci.image.manifest.v1+json";
inline constexpr std::string_view index_type = "application/vnd.oci.image.index.v1+json";
inline constexpr std::string_view config_type = "application/vnd.oci.image.config.v1+json";
inline constexpr std::string_view docker_manifest_type = "application/vnd.docker.distribution.manifest.v2+json";
inline constexpr std::string_view docker_index_type = "application/vnd.docker.distribution.manifest.list.v2+json";
inline constexpr std::string_view docker_config_type = "application/vnd.docker.container.image.v1+json";

inline std::string layer_media_type(Compression compression) {
  switch (compression) {
    case Compression::gzip:
      return "application/vnd.oci.image.layer.v1.tar+gzip";
    case Compression::zstd:
      return "application/vnd.oci.image.layer.v1.tar+zstd";
    default:
      return "application/vnd.oci.image.layer.v1.tar";
  }
}

inline bool is_index(std::string_view type) {
  return type == index_type || type == docker_index_type;
}
inline bool is_manifest(std::string_view type) {
  return type == manifest_type || type == docker_manifest_type;
}
inline bool is_config(std::string_view type) {
  return type == config_type || type == docker_config_type;
}
// Encrypted layers and artifacts are not.
inline bool is_layer(std::string_view type) {
  return type.starts_with("application/vnd.oci.image.layer.") && type.find("encrypted") == std::string_view::npos
             ? type.find(".tar") != std::string_view::npos
             : type.starts_with("application/vnd.docker.image.rootfs.") && type.find(".tar") != std::string_view::npos;
}

}  // namespace drydock::image
