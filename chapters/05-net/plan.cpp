// What chapter 05 adds to the plan: a network namespace with its loopback link up, and the /sys that shows it.
#include <linux/sched.h>

#include <drydock/network/bridge.hpp>

#include "shared/sketch.hpp"

namespace drydock::chapter {

const Growth net{{.chapter = 5,
                  .adds = {"mount.sys.open", "mount.sys.source", "mount.sys.create", "net.inner.socket", "net.inner.lo"},
                  .removes = {"mount.sys.flags"},
                  .changes = {"clone", "mount.sys", "mount.sys.attach"},
                  .grow = [](Sketch& sketch) {
                    sketch.clone_flags |= CLONE_NEWNET;
                    sketch.system.fresh_sysfs = true;
                    sketch.add(Phase::names, "network", [](Sketch& s) { network::add_loopback_steps(s.plan()); });
                  }}};

}  // namespace drydock::chapter
