// One layer: from a (compressed) tar stream to a directory in overlay form, in a single pass.
//
// While the bytes pass, the blob is copied and hashed, inflated, hashed again (the diff id), and written out as files:
//   file → copy + hash → [thread] inflate → [thread] hash + count → tar → files
//
// Example: LayerResult result = unpack_layer(source, {"sha256:...", blob_fd, root_fd}, budget);
//          if (result.diff_id != expected) ...
// What is not made: device nodes. The harmless ones that root file systems carry in /dev (null, zero, tty, ...) are left out,
// since a container gets a /dev of its own; any other is refused. Extended attributes: security.capability and user.* only,
// never trusted.* and *.overlay.*, with which a layer could redirect the overlay to another layer's files.
// Source: layer.md of the OCI image specification 1.1; aufs for the names of whiteouts.
#pragma once

#include <cstdint>
#include <string>

#include <drydock/image/archive/bytes.hpp>
#include <drydock/image/archive/limits.hpp>
#include <drydock/kernel/fd.hpp>

namespace drydock::image {

struct LayerResult {
  std::string blob_digest, diff_id;
  std::string media_type;       // of the blob as it was copied
  std::uint64_t blob_size = 0;  // bytes
  std::uint64_t devices_left_out = 0;
};

struct LayerTarget {
  std::string where;  // names the layer in messages
  Fd blob;            // open for writing; empty: the blob is not kept
  Fd root;            // an empty directory
};

// Throws Error::refused for a hostile or damaged layer, Error::from_errno when the disk does not take it.
LayerResult unpack_layer(ByteSource& source, LayerTarget target, Budget& budget);

}  // namespace drydock::image
