// What this machine can enforce: the facts that validate() and limit_writes() decide by.
//
// Example: const Host host = read_host(read_layout(), limits);
// Source: sysfs block/*/queue/scheduler, /proc/swaps, /sys/devices/system/cpu/online.
#pragma once

#include <optional>
#include <string>

#include <drydock/cgroups/knobs.hpp>

namespace drydock::cgroups {

// Reads only what `limits` ask about: a start without limits reads nothing. Devices that do not exist are left out (validate()
// names them); a partition is refused, because the kernel throttles whole disks only.
Host read_host(const Layout& layout, const Limits& limits);

// "254:0" of a block device given by path or already as numbers; empty when there is none.
std::optional<std::string> device_number(const std::string& device);

}  // namespace drydock::cgroups
