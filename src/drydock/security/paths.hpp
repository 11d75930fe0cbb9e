// The paths below /proc and /sys that a container must not see, or not write: Docker's two lists.
//
// Masked paths are covered by /dev/null or by an empty read-only directory; read-only paths are bound on themselves with
// MOUNT_ATTR_RDONLY. Paths that this kernel does not have are passed over. --privileged uses neither list.
//
// Example: for (const std::string_view path : masked_paths) plan.payload(..., ops::mask_path(root, std::string(path), null,
// empty)); Source: Docker's default OCI configuration; CVE-2025-31133 and CVE-2025-52881 for how the masking must be done.
#pragma once

#include <array>
#include <string_view>

namespace drydock::security {

inline constexpr std::array<std::string_view, 13> masked_paths = {
    "/proc/acpi",
    "/proc/asound",
    "/proc/interrupts",  // timing of somebody else's key strokes
    "/proc/kcore",       // the kernel's memory
    "/proc/keys",        // not separated by any namespace
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi",  // removes disks
    "/proc/timer_list",
    "/proc/timer_stats",
    "/sys/devices/virtual/powercap",  // power meter: PLATYPUS, CVE-2020-8694
    "/sys/firmware",
    "/sys/devices/system/cpu/cpu0/thermal_throttle",
};

inline constexpr std::array<std::string_view, 5> read_only_paths = {
    "/proc/bus",           "/proc/fs", "/proc/irq",
    "/proc/sys",            // sysctls without a namespace are the host's
    "/proc/sysrq-trigger",  // reboots the host
};

}  // namespace drydock::security
