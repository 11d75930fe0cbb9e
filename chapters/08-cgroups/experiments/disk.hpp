// The disk on which the experiments of disk.cpp read and write: whole, since the kernel limits no partitions.
//
// Example: limits.write_bps = {{*disk_below(scratch), 8 << 20}};
// Source: sysfs dev/block.
#pragma once

#include <optional>
#include <string>

#include "shared/needs.hpp"

namespace drydock::chapter::control_groups {

inline constexpr const char* scratch = "/var/tmp";  // files there have no name, and go with their descriptor

// "254:0"; empty where the directory is on no block device.
std::optional<std::string> disk_below(const char* directory);
Need disk();

}  // namespace drydock::chapter::control_groups
