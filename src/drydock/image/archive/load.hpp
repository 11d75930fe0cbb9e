// Images into the store: from `docker save` archives, OCI layouts (directories and tars), and plain root file systems.
//
// Example: for (const Loaded& image : load_images("/var/lib/drydock", "alpine.tar", {})) print(image.reference);
// Errors: Error::refused with a sentence for hostile, damaged and unknown archives; nothing of them stays.
// Source: OCI image specification 1.1; docker-load(1), docker-import(1).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <drydock/image/archive/bundle.hpp>
#include <drydock/image/archive/editor.hpp>
#include <drydock/image/archive/limits.hpp>

namespace drydock::image {

struct LoadOptions {
  Limits limits;
  UsedByContainers used;
  bool sync = false;  // wait for the disk
  std::string name;   // for an image that brings none; empty: the file's own name, else the image has only its id
};

struct Loaded {
  std::string reference;               // empty: only the id
  std::string id;                      // config digest
  std::uint64_t devices_left_out = 0;  // harmless device nodes of /dev that were not made
};

// `path`: a file, an OCI layout directory, or "-" for standard input.
std::vector<Loaded> load_images(const std::string& data, const std::string& path, const LoadOptions& options);
// From an open, uncompressed archive.
std::vector<Loaded> load_images(const std::string& data, Fd archive, const LoadOptions& options);

struct ImportOptions {
  Limits limits;
  UsedByContainers used;
  bool sync = false;                 // wait for the disk
  std::vector<std::string> changes;  // Dockerfile instructions: "CMD [\"sh\"]"
  std::string message;               // the comment in the history
};

// A tar of a root file system (gzip, zstd, bzip2, xz or plain) becomes an image of one layer. An empty reference: only the id.
Loaded import_rootfs(const std::string& data, const std::string& path, const std::string& reference,
                     const ImportOptions& options);

}  // namespace drydock::image
