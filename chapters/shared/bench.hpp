// A workbench for layers: a mount namespace of its own with an empty tmpfs, in which directories become layers.
//
// All paths are relative to the tmpfs. What the bench did is gone with it: its mounts and files are nobody else's.
//
// Example: Bench bench;
//          bench.write("base/motd", "hello");
//          bench.stack("merged", {.lowers = {"base"}, .upper = "upper"});
//          tell.show("merged/motd", bench.read("merged/motd"), is("hello"));
// Source: kernel Documentation/filesystems/overlayfs.rst.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "shared/child.hpp"
#include "shared/needs.hpp"
#include "shared/values.hpp"

namespace drydock::chapter {

struct Layers {
  std::vector<std::string> lowers;  // lowest first
  std::string upper = {};           // empty: read-only
  std::string options = {};         // more of them, for root only: "redirect_dir=off" is what a user has
};

class Bench {
 public:
  Bench();

  // Makes the directories that are missing, and mounts the layers at `place`. The result of mount(2).
  Outcome try_stack(const std::string& place, const Layers& layers);
  // The same; throws Error where it fails.
  void stack(const std::string& place, const Layers& layers);
  Outcome unmount(const std::string& place);
  // Creates or replaces; directories that are missing are made.
  void write(const std::string& path, const std::string& content);
  // What is in the file, of that the first `most` bytes; or the errno of opening it.
  std::string read(const std::string& path, std::size_t most = std::string::npos);
  // Names in a directory, sorted: "a b c"; "(empty)".
  std::string list(const std::string& path);
  // Runs there with the bench as working directory.
  std::string run(const std::function<std::string()>& look);
  Outcome call(const std::function<long()>& system_call);
  struct stat status(const std::string& path);
  // Bytes that the files and directories of the bench occupy.
  std::uint64_t used_bytes();
  // The value of overlay's own attribute on a file of a layer: "y" for opaque; "none".
  std::string attribute(const std::string& path, const std::string& name);

 private:
  Child holder_;
};

// overlayfs in namespaces of this user, and attributes on tmpfs, without which there are no opaque directories.
Need layers();

// "char device 0:0", "file", "directory", or "none".
std::string kind_of(const std::string& path);

}  // namespace drydock::chapter
