// A container of this chapter with limits, and processes that join its groups in order to use something up.
//
// Example: cgroups::Limits limits;
//          limits.memory = 32 << 20;
//          Limited container(tell, limits);
//          Child hog = container.member([](Talk&) { touch_memory(64); return 0; });
//          tell.show("it ended with", hog.wait().code(), is(137));
// Source: cgroups(7).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <drydock/cgroups/group.hpp>
#include <drydock/cgroups/layout.hpp>

#include "shared/child.hpp"
#include "shared/needs.hpp"
#include "shared/payload.hpp"

namespace drydock::chapter::control_groups {

inline constexpr std::uint64_t mebibyte = 1024 * 1024;

// Without swap: what is said about memory holds on machines with swap too.
cgroups::Limits memory_limit(std::uint64_t mebibytes);

class Limited {
 public:
  Limited(Narrator& tell, const cgroups::Limits& limits);

  Payload& payload() { return *payload_; }
  cgroups::Group& group() { return group_; }
  const cgroups::Group& group() const { return group_; }
  const cgroups::Layout& layout() const { return layout_; }
  // A child that joins every group of the container and then runs `body`. It sees the host's files and processes.
  Child member(const Body& body) const;
  // What the kernel has in the file that the knob table names for this machine's version: setting("pids") == "64".
  std::string setting(std::string_view knob) const;
  // "yes" when /proc/PID/cgroup, as the caller sees it, has the name of the container's groups.
  std::string names_its_group(pid_t pid) const;
  // The group's directory of this controller.
  std::string directory(std::string_view controller) const;

 private:
  Limited(Narrator& tell, Sketch sketch);

  cgroups::Layout layout_;
  std::string name_;
  std::vector<std::string> directories_;
  std::unique_ptr<Payload> payload_;
  cgroups::Group group_;
};

// Takes and touches so much.
void touch_memory(std::uint64_t mebibytes);
// Uses up processor time until it is killed: anywhere, or on the first processor that this machine gives us.
int spin(Talk& chapter);
int spin_on_first_cpu(Talk& chapter);
// Processor time that the group has used so far.
std::uint64_t cpu_ns(const Limited& container);

// A controller that has another name in each version: "blkio" and "io".
Need disk_controller();
Need swap_accounting();
Need swap_space();

}  // namespace drydock::chapter::control_groups
