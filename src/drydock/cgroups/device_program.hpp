// The device rules as a program for the kernel: what takes the place of the v1 devices controller on cgroup2.
//
// A BPF program of type CGROUP_DEVICE is attached to a group; the kernel runs it whenever a member makes or opens a device node.
// It is given type, access, major and minor, and answers 1 (allow) or 0 (EPERM). It goes with the group, and holds for the
// groups below it. device_program() is pure: text in, instructions out.
//
// Example: plan.monitor("devices", ops::device_filter(group, device_program(device_rules)));
// Source: linux/bpf.h (struct bpf_cgroup_dev_ctx), bpf(2), kernel Documentation/admin-guide/cgroup-v2.rst "Device controller"
// (Linux 4.15).
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace drydock::cgroups {

// struct bpf_insn, back to back. A rule is "TYPE MAJOR:MINOR ACCESS" with TYPE c or b, numbers or *, ACCESS of r, w and m.
// A request is allowed when one rule covers all of it. Throws Error (refused) for a rule that it cannot read.
std::string device_program(std::span<const std::string_view> rules);

}  // namespace drydock::cgroups
