// Which control groups this machine has: who owns each controller, and where our groups go.
//
// There are three layouts. v1: a tree per controller. v2: one tree. Hybrid: controllers in v1 trees and a cgroup2 tree beside
// them, which limits nothing but kills, freezes and tracks. detect() is a pure function over text, so that each layout is
// tested on every machine; read_layout() reads the text of this one.
//
// Example: const Layout layout = read_layout();
//          if (const Place* place = layout.find("memory")) use(place->mount);  // "/sys/fs/cgroup/memory", Version::v1
// Source: cgroups(7), proc_pid_mountinfo(5), kernel Documentation/admin-guide/cgroup-v1/ and cgroup-v2.rst.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <drydock/cgroups/delegation.hpp>

namespace drydock::cgroups {

enum class Version { v1, v2 };
enum class Shape { none, v1, v2, hybrid };
std::string_view shape_name(Shape shape);

// What detect() reads. `controllers` is cgroup.controllers of the cgroup2 mount, empty where there is none.
struct Texts {
  std::string mountinfo;     // /proc/self/mountinfo
  std::string self_cgroup;   // /proc/self/cgroup
  std::string proc_cgroups;  // /proc/cgroups
  std::string controllers;
};

// Where one controller lives.
struct Place {
  std::string controller;  // "memory"
  Version version = Version::v1;
  std::string mount;  // absolute directory of the hierarchy's root as this process sees it
};

// The whole answer: shape, places, and the cgroup2 tree.
struct Layout {
  static Layout detect(const Texts& texts);

  Shape shape = Shape::none;
  std::vector<Place> places;          // in order of name
  std::string cgroup2;                // mount of the cgroup2 tree, empty where there is none
  std::string self_cgroup2;           // the caller's own group in it, "/user.slice/..."
  std::string parent2;                // where our groups go in it: "" is its root, for a user the part that was handed over
  std::string restriction;            // why some hierarchies are out of reach for this user, empty for root
  std::string way_out;                // and the command that helps
  bool device_programs = false;       // device rules as BPF programs in the cgroup2 tree (device_program.hpp); for root only
  std::vector<std::string> disabled;  // controllers that the kernel has but was told not to use (cgroup_disable=)

  // nullptr when no mounted hierarchy has it.
  const Place* find(std::string_view controller) const;
  // One sentence that says why find() gave nothing.
  std::string why_missing(std::string_view controller) const;
  // And what to do about it, a command where there is one.
  std::string remedy_for(std::string_view controller) const;
  bool operator==(const Layout&) const;
};

// The part of `layout` that this user may make groups in. v1 trees belong to root; the cgroup2 tree is usable without root
// where a part of it was handed over, with the controllers of that part. What was taken away is explained by why_missing().
Layout manageable(Layout layout, unsigned euid, const std::optional<Delegation>& part);

// The mount of the cgroup2 tree in a mountinfo text; empty where there is none.
std::string find_cgroup2(std::string_view mountinfo);

// Reads the four files, and asks the kernel for device programs where no v1 tree has the devices. Throws Error when /proc is not mounted.
Layout read_layout();

// read_layout(), reduced to what the caller may use: looks which groups above it can be written.
Layout read_manageable_layout();

// The name of our groups: "drydock-<id>" directly below the parent. There is deliberately no shared directory "drydock":
// it would have to be removed by the last container while the next one is making its own below it.
std::string group_name(std::string_view id);

}  // namespace drydock::cgroups
