// A control group of a payload's own, limited before its first member: for experiments outside chapter 08.
//
// Example: OwnGroup group(limits); group.add_to(sketch); Payload payload(tell, std::move(sketch)); group.watch().events();
// Source: drydock/cgroups/steps.hpp, drydock/cgroups/group.hpp.
#pragma once

#include <drydock/cgroups/group.hpp>
#include <drydock/cgroups/layout.hpp>
#include <drydock/cgroups/limits.hpp>
#include <drydock/cgroups/steps.hpp>

#include "shared/sketch.hpp"

namespace drydock::chapter {

class OwnGroup {
 public:
  explicit OwnGroup(cgroups::Limits limits = {});
  OwnGroup(const OwnGroup&) = delete;
  OwnGroup& operator=(const OwnGroup&) = delete;

  // Also gives the sketch's ledger a name. This object must live until the sketch has been built.
  void add_to(Sketch& sketch);
  // The group, once the plan was launched.
  cgroups::Group watch() const { return cgroups::Group(layout_, made_.directories); }

 private:
  cgroups::Layout layout_;
  cgroups::Limits limits_;
  cgroups::GroupPlan made_;
};

}  // namespace drydock::chapter
