// A stage for mounts: a mount namespace of the experiment's own, and an agent in it that does as it is told.
//
// Example: Child stage = on_stage([](Talk& chapter) { Child other(CLONE_NEWNS, agent); chapter.say(ask(other, "mount /mnt/a"));
// return 0; }); Source: mount_namespaces(7).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <drydock/facts/snapshot.hpp>

#include "shared/child.hpp"
#include "shared/values.hpp"

namespace drydock::chapter::mnt {

// Its mounts are private, and /mnt is an empty file system in memory.
Child on_stage(const Body& body);

// Of the caller.
std::vector<facts::Mount> mounts();
bool is_mounted(const std::string& target);

// mount(2), each for one purpose.
Outcome mount_tmpfs(const std::string& target);
Outcome bind_mount(const std::string& source, const std::string& target, std::uint64_t more = 0);
Outcome set_propagation(const std::string& target, std::uint64_t flag);
Outcome unmount(const std::string& target, int flags = 0);

Outcome write_to(const std::string& path, const std::string& text);  // creates it
void make_file(const std::string& path, const std::string& text);    // throws Error when it cannot
// What is in a file, or the reason why it cannot be read.
std::string content(const std::string& path);
// Device and inode of a directory: equal for equal directories.
std::pair<std::uint64_t, std::uint64_t> identity(const std::string& path);

// Body of a child: "mount PATH" (a tmpfs), "sees PATH" (is something mounted there?), "chroot PATH", until the talk is closed.
int agent(Talk& talk);
std::string ask(Child& agent, const std::string& words);

}  // namespace drydock::chapter::mnt
