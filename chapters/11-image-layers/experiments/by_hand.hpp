// An image by hand: layers are tar archives, the configuration is JSON, and the archive that `docker save` writes is a tar of
// both with a list. Nothing here runs a container; a store on a workbench takes what is made.
//
// Example: Bench bench;
//          load(bench, "store", {"demo:1", {{"COPY motd /", tar_of({{"motd", "hello\n"}})}, {"CMD cat /motd"}}});
//          bench.stack("merged", {layers_of(bench, "store", "demo:1")});
// Source: config.md and layer.md of the OCI image specification; moby image/tarexport for `docker save`.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include <drydock/image/archive/bytes.hpp>
#include <drydock/image/store.hpp>

#include "shared/bench.hpp"

namespace drydock::chapter::image_layers {

// What an image remembers of one instruction of a Dockerfile.
struct Instruction {
  std::string words;                    // "COPY motd /"
  std::optional<std::string> tar = {};  // the files that it brought; empty: it changed the configuration only
};

struct ByHand {
  std::string name;  // "demo:1"
  std::vector<Instruction> instructions;
  std::string config = "{}";  // of its containers, as JSON: {"Cmd":["cat"]}
};

// A layer of regular files, 0755 each: path -> content. A name that begins with ".wh." deletes the rest of it.
std::string tar_of(const std::map<std::string, std::string>& files,
                   drydock::image::Compression compression = drydock::image::Compression::none);
// A directory as a layer: whiteouts of an overlay become ".wh." names.
std::string tar_of_directory(const std::string& path);

// The digest of the tar inside: what a layer is called, however it is compressed.
std::string diff_id_of(const std::string& tar);

std::string configuration_of(const ByHand& image);
// As `docker save` writes it.
std::string archive_of(const ByHand& image);

// Into a store on the bench; the image's id.
std::string load(Bench& bench, const std::string& store, const ByHand& image);
// Asks the store.
std::string ask(Bench& bench, const std::string& store, const std::function<std::string(const drydock::image::Store&)>& question);
// Unpacked directories, lowest first.
std::vector<std::string> layers_of(Bench& bench, const std::string& store, const std::string& name);
// Runs a program with that directory as root: what it prints, or the errno of execve(2).
std::string run_in(Bench& bench, const std::string& root, std::vector<std::string> words);

}  // namespace drydock::chapter::image_layers
