// The three files that give a container its names: /etc/hosts, /etc/resolv.conf, /etc/hostname.
//
// They live in a small file system in memory that nothing but the container's mounts refers to: nobody has to remove them.
//
// Example: NameFiles files(hostname, spec, host); files.add_sources(plan, place); ... files.add_targets(plan, root);
// Chapter: 04, 10. Source: hosts(5), resolv.conf(5), hostname(5); open_tree(2), move_mount(2).
#pragma once

#include <string>
#include <vector>

#include <drydock/container/plan.hpp>

namespace drydock::container {

class NameFiles {
 public:
  NameFiles(const std::string& hostname, const Spec& spec, const Host& host);

  // Payload: the files, each as a detached bind mount. `place` is a directory that this mount namespace has to itself.
  void add_sources(plan::Plan& plan, plan::Slot place);
  // Payload: over the files of the same name below `root`.
  void add_targets(plan::Plan& plan, plan::Slot root) const;

 private:
  struct File {
    std::string name, content, why;
    plan::Slot mount;
  };
  std::vector<File> files_;
};

}  // namespace drydock::container
