// Bind mounts, volumes and tmpfs that the user asks for, and the files that give a container its names.
//
// The source is looked up in the host's tree before the root changes; the target is resolved inside the container's root by
// descriptor. A link in the image cannot lead a mount to the host (CVE-2021-30465).
//
// Example: Slot source = add_bind_source(plan, lane, "volume.0", bind);   // while the lane is still the user who started it
//          add_bind_target(plan, lane, "volume.0", bind, source, root);
// Chapter: 04, 11. Source: open_tree(2), mount_setattr(2); docker-run(1), --volume, --mount, --tmpfs.
#pragma once

#include <cstdint>
#include <string>

#include <drydock/plan/plan.hpp>

namespace drydock::mounts {

struct Bind {
  std::string source;              // absolute path on the host
  std::string target;              // absolute path in the container
  bool read_only = false;
  bool source_is_file = false;
  bool recursive = true;
  std::int64_t propagation = 0;    // MS_PRIVATE, MS_SLAVE, MS_SHARED; 0 is private
};

// The two halves of a bind mount: a detached copy of the source, with its final flags, and its place in the container.
plan::Slot add_bind_source(plan::Plan& plan, plan::Lane lane, const std::string& id, const Bind& bind);
void add_bind_target(plan::Plan& plan, plan::Lane lane, const std::string& id, const Bind& bind, plan::Slot source, plan::Slot root);
// `options`: "size=64m,mode=1777"; nosuid and nodev always, noexec unless "exec" is among them.
void add_tmpfs(plan::Plan& plan, plan::Lane lane, const std::string& id, const std::string& target, const std::string& options, bool read_only,
               plan::Slot root);

}  // namespace drydock::mounts
