// Images out of the store: as the archive that docker, podman and skopeo load, or as an OCI layout (a tar or a directory).
//
// The docker format is written as today's docker writes it: an OCI layout with manifest.json beside it, in one tar. So both kinds
// of reader find what they know, and manifests keep their digests. Layers keep the form (gzip, zstd, plain) in which they came.
//
// Example: save_images("/var/lib/drydock", {"busybox"}, "busybox.tar", SaveFormat::docker);
// Errors: Error::refused (unknown image, damaged store), Error::from_errno (full disk: nothing is left then).
// Source: image-layout.md of the OCI image specification 1.1; moby image/tarexport/save.go (since 25.0).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <drydock/image/archive/bytes.hpp>
#include <drydock/image/layout.hpp>

namespace drydock::image {

enum class SaveFormat { docker, oci };

// `output`: a file, "-" for standard output, or (format oci) a directory: one that exists, or a name that ends in '/'.
void save_images(const std::string& data, const std::vector<std::string>& references, const std::string& output,
                 SaveFormat format);

// Where the files of an image archive go: a tar stream or a directory.
class ImageSink {
 public:
  virtual ~ImageSink() = default;
  virtual void file(const std::string& name, std::uint64_t size, ByteSource& content) = 0;
  // The index.json of a layout to which images are added; empty when there is none.
  virtual std::string present_index() { return {}; }
  virtual void finish() = 0;
};

std::unique_ptr<ImageSink> tar_sink(std::function<void(std::string_view)> out);

using OpenBlob = std::function<std::unique_ptr<ByteSource>(const Descriptor&)>;
// Everything the records name, each blob once.
void write_images(const std::vector<Record>& records, const OpenBlob& open_blob, SaveFormat format, ImageSink& sink);

}  // namespace drydock::image
