// A directory below /tmp that goes with its owner.
//
// Example: const Scratch scratch; sys::symlink("x", scratch.path() + "/link");
// Source: docs/writing-chapters.md.
#pragma once

#include <string>

#include <drydock/kernel/sys.hpp>

namespace drydock::chapter {

class Scratch {
 public:
  Scratch() : path_("/tmp/drydock-ch-" + sys::random_hex(16)) { sys::mkdir(path_, 0700); }
  ~Scratch() { sys::remove_tree(path_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace drydock::chapter
