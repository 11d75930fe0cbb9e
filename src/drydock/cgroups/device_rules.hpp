// The devices that a container may use, as rules of the v1 devices controller: "type major:minor access".
//
// A container keeps CAP_MKNOD as Docker's do, so without these rules its root could make a node of the host's disk and read it.
// On cgroup2 there is no such file: there the same rules are a BPF program attached to the group (device_program.hpp). Where
// neither is to be had, devices_guarded() is false, and security::default_capabilities() leaves CAP_MKNOD out.
// Source: kernel Documentation/admin-guide/cgroup-v1/devices.rst; the list of the OCI runtime specification, "Default Devices".
#pragma once

#include <array>
#include <string_view>

#include <drydock/cgroups/layout.hpp>

namespace drydock::cgroups {

// Cost on the machine this was written on: 25 µs back to back, 65 µs after 150 ms of idling (mkdir and rmdir not counted).
inline constexpr std::array<std::string_view, 11> device_rules = {
    "c *:* m",  // any node may be made, ...
    "b *:* m",
    "c 1:3 rwm",   // ... but only these may be opened: null
    "c 1:5 rwm",   // zero
    "c 1:7 rwm",   // full
    "c 1:8 rwm",   // random
    "c 1:9 rwm",   // urandom
    "c 5:0 rwm",   // tty
    "c 5:1 rwm",   // console
    "c 5:2 rwm",   // ptmx
    "c 136:* rwm"  // pts/N
};

// True when the rules above can be enforced here.
inline bool devices_guarded(const Layout& layout) {
  const Place* place = layout.find("devices");
  return (place != nullptr && place->version == Version::v1) || layout.device_programs;
}

}  // namespace drydock::cgroups
