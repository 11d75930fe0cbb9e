// Which capabilities a container keeps, and the steps that take the others away.
//
// Example: const CapabilityChoice choice = choose_capabilities({.add = {"NET_ADMIN"}, .drop = {"MKNOD"}},
// available_capabilities());
//          add_bounding_steps(plan, Lane::payload, choice.mask, available);  // while CAP_SETPCAP is still there
//          ...setgroups, setresgid, setresuid...
//          add_capset_step(plan, Lane::payload, choice.mask, is_root);
// Order for a container's root: bounding set, then ids, then capset; a seccomp filter loads before capset, which may take the
// CAP_SYS_ADMIN it needs (or after it, with no_new_privs). For another user setresuid itself empties the sets.
// The inheritable set is always empty: what is inheritable comes back through files with inheritable bits (CVE-2022-29162).
// Chapter: 07, 19. Source: capabilities(7), capset(2), PR_CAPBSET_DROP(2const); Docker's list of defaults.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <drydock/plan/plan.hpp>

namespace drydock::security {

// Docker's fourteen: 0xa80425fb. Without `devices_guarded` (no device rules are enforced, see cgroups/device_rules.hpp)
// CAP_MKNOD is left out: root inside could make a node of the host's disk.
std::uint64_t default_capabilities(bool devices_guarded = true);

struct CapabilityRequest {
  std::vector<std::string> add = {}, drop = {};  // "NET_ADMIN", "CAP_NET_ADMIN", "net_admin", "ALL"
  bool privileged = false;                       // everything that the caller has
  bool devices_guarded = true;
};

struct CapabilityChoice {
  std::uint64_t mask = 0;
  std::vector<std::string> warnings;  // asked for, but not to be had
};

// Docker's rules: privileged gives all; add ALL is all but the dropped ones; drop ALL is only the added ones; else defaults minus
// drops plus adds (an add wins over a drop of the same name). Nothing outside `available` is ever in the mask.
// Throws Error (refused) for a name that is no capability.
CapabilityChoice choose_capabilities(const CapabilityRequest& request, std::uint64_t available);

// What the caller could hand on: permitted and bounding set of /proc/self/status. 0 when neither can be read.
std::uint64_t available_capabilities();
// All capabilities of this kernel (/proc/sys/kernel/cap_last_cap): what the first process of a new user namespace has in it.
std::uint64_t all_capabilities();
// A mask of "CapBnd:\t000001ffffffffff" in the text of a status file; 0 when the line is missing.
std::uint64_t mask_in_status(std::string_view status, std::string_view field);

// "CAP_CHOWN,CAP_KILL" in order of number; "none" for 0.
std::string capability_text(std::uint64_t mask);

// One PR_CAPBSET_DROP for each capability of `available` that is not in `mask`: afterwards no program, setuid or with file
// capabilities, can bring it back.
std::vector<plan::StepRef> add_bounding_steps(plan::Plan& plan, plan::Lane lane, std::uint64_t mask, std::uint64_t available);
// For root: effective and permitted are `mask`. For another user: both empty, as Docker does; the bounding set still lets a
// setuid program have them.
plan::StepRef add_capset_step(plan::Plan& plan, plan::Lane lane, std::uint64_t mask, bool is_root);
// prctl(PR_SET_NO_NEW_PRIVS): no exec gives more than the process has.
plan::StepRef add_no_new_privileges_step(plan::Plan& plan, plan::Lane lane);

}  // namespace drydock::security
