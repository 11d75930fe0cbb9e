// What an image arrives in: named files, in a directory or in a tar archive (docker save, OCI archive), which may itself be
// compressed or come through a pipe.
//
// Example: auto bundle = open_bundle("image.tar", data + "/tmp/import-x"); auto text = bundle->read("manifest.json");
// Names are resolved inside the bundle: old docker archives have `<id>/layer.tar -> ../<other id>/layer.tar`.
// Errors: Error::refused for what is no image archive, names that lead out, files of absurd size.
// Source: image-layout.md of the OCI image specification; moby's image/tarexport for `docker save`.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include <drydock/image/archive/bytes.hpp>
#include <drydock/image/archive/limits.hpp>
#include <drydock/kernel/fd.hpp>

namespace drydock::image {

class Bundle {
 public:
  virtual ~Bundle() = default;
  virtual bool contains(const std::string& name) const = 0;
  // The name after links are followed: two names of one file give the same.
  virtual std::string resolve(const std::string& name) const = 0;
  // Small text files by (resolved) name, in one pass; a missing one throws Error::refused.
  virtual std::map<std::string, std::string> read(const std::set<std::string>& names) = 0;
  // Calls `take` once for each of the resolved `names`, in the order in which they are stored.
  virtual void visit(const std::set<std::string>& names, const std::function<void(const std::string&, ByteSource&)>& take) = 0;
  // What messages call it.
  virtual const std::string& where() const = 0;

  std::string read(const std::string& name);
};

// `path`: a directory, a file, or "-" for standard input. A compressed archive, or one from a pipe, is first written plainly into
// `scratch`, since the list of what an image consists of stands at the end of a docker archive.
std::unique_ptr<Bundle> open_bundle(const std::string& path, const std::string& scratch, const Limits& limits);
// "-" is standard input.
Fd open_input(const std::string& path);
// The same for an archive that is open already (an uncompressed tar).
std::unique_ptr<Bundle> open_bundle(Fd file, std::string where);

}  // namespace drydock::image
