// What chapter 07 adds to the plan: a user namespace, its maps, and becoming root in it. Device nodes cannot be made there: the
// host's are bound.
#include <linux/sched.h>

#include <drydock/container/user_namespace.hpp>
#include <drydock/namespaces/id_map.hpp>

#include "shared/sketch.hpp"

namespace drydock::chapter {

using namespace plan;

namespace {

// Root has ids to give: those of nobody else. Others have one, their own.
namespaces::Maps maps_of(const Request& request) {
  if (request.euid == 0) return {{{0, 100000, 65536}}, {{0, 100000, 65536}}};
  return {{{0, request.euid, 1}}, {{0, request.egid, 1}}};
}

void maps_and_root(Sketch& sketch) {
  const auto writer = sketch.request.euid == 0 ? namespaces::MapWriter::parent : namespaces::MapWriter::self;
  const StepRef written = container::add_id_maps(sketch.plan(), sketch.child, sketch.maps, writer);
  container::add_become_root(sketch.plan(), written, writer);
}

constexpr const char* devices[] = {"null", "zero", "full", "random", "urandom", "tty"};

std::vector<std::string> added() {
  std::vector<std::string> steps{"map.gid", "map.uid", "userns.groups", "userns.gid", "userns.uid", "userns.die_with_monitor"};
  for (const std::string device : devices) steps.insert(steps.end(), {"dev." + device + ".open", "dev." + device + ".file"});
  return steps;
}

std::vector<std::string> changed() {
  std::vector<std::string> steps{"clone"};
  for (const std::string device : devices) steps.push_back("dev." + device);
  return steps;
}

}  // namespace

const Growth user{
    {.chapter = 7, .adds = added(), .removes = {"mount.devpts.gid"}, .changes = changed(), .grow = [](Sketch& sketch) {
       sketch.clone_flags |= CLONE_NEWUSER;
       sketch.maps = maps_of(sketch.request);
       sketch.add(Phase::isolate, "user", maps_and_root);
     }}};

}  // namespace drydock::chapter
