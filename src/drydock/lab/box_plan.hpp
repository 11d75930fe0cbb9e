// The plan of a box: where code of a student runs with the powers of root, and none over the machine.
//
//   the monitor  ── pid 1 of the box, root of an outer user namespace ── the program, root of an inner one
//
// The program has every capability in its own namespaces and may make more of them. Pid 1, its mounts and its groups belong to
// ids that it does not have: it cannot signal, trace or read the one, nor unmount or raise the others. All files that it finds
// were carried in by the plan; no directory of the host is written, and none is shown but those asked for, read-only.
//
// Example: BoxSpec spec; spec.command = {"/lab/program", "enter"}; spec.files = {{"program", bytes, 0755}};
//          const BoxPlan made = box_plan(spec, host);   // pure
// Source: user_namespaces(7), docs/instructors.md; the order of the steps is that of container/plan.cpp.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <drydock/cgroups/knobs.hpp>
#include <drydock/plan/serialise.hpp>

namespace drydock::lab {

struct BoxFile {
  std::string name;  // in /lab, which is read-only
  std::string contents;
  int mode = 0644;
};

struct BoxLimits {
  std::uint64_t memory = 192ULL << 20;
  std::int64_t pids = 96;
  double cpus = 1;
  std::uint64_t disk = 64ULL << 20;  // of the root, in memory; also of one file
  unsigned inodes = 4096;
  int seconds = 10;               // by the clock
  std::size_t output = 64 << 10;  // kept of each stream
  std::size_t flood = 1 << 20;    // more than that on a stream ends the box
};

struct BoxSpec {
  std::vector<std::string> command;
  std::vector<BoxFile> files;
  std::vector<std::string> shown;  // directories of the host, at the same path: a compiler
  BoxLimits limits;
};

// What the plan depends on, beside the spec. Filled by Box (box.hpp).
struct BoxHost {
  std::string id;       // unguessable: names of ledger and groups
  std::string ledgers;  // directory; in the box's own mount namespace the new root is attached over it
  unsigned index = 0;   // which range of ids
  cgroups::Layout layout;
  cgroups::LimitWrites writes;
  std::string filter;  // box_filter()
};

struct BoxPlan {
  plan::Plan plan;
  plan::Settings settings;
  std::vector<std::string> groups;  // directories
};

BoxPlan box_plan(const BoxSpec& spec, const BoxHost& host);

// Ids of box number `index`: pid 1 is the first outside, ids 0 to 65535 of the program are `students` and up.
struct BoxIds {
  std::uint32_t init, students;
};
// Far above the ranges of /etc/subuid, which containers of this machine have.
inline constexpr std::uint32_t first_box_id = 1'000'000'000, ids_per_box = 65536;
inline constexpr unsigned box_count = 64;
BoxIds box_ids(unsigned index);

// What no exercise needs and a shared kernel should not be asked for. Everything else is allowed, so that programs may become
// containers; it is loaded with privilege, so that no_new_privs stays the program's own.
std::string box_filter();

}  // namespace drydock::lab
