// What chapter 03 adds to the plan: a pid namespace, and a /proc that shows it. The mount namespace around that /proc is lent by
// chapter 04, which says what it is.
#include <linux/sched.h>
#include <sys/mount.h>

#include <drydock/mounts/rootfs.hpp>

#include "shared/sketch.hpp"

namespace drydock::chapter {

using namespace plan;

namespace {

void proc(Sketch& sketch) {
  sketch.plan()
      .payload("mount.proc", ops::mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, ""))
      .on("/proc")
      .why("a proc file system shows the pid namespace of the process that mounts it");
}

}  // namespace

const Growth pid{{.chapter = 3, .adds = {"mount.private", "mount.proc"}, .changes = {"clone"}, .grow = [](Sketch& sketch) {
                    sketch.clone_flags |= CLONE_NEWPID | CLONE_NEWNS;
                    sketch.add(Phase::isolate, "private",
                               [](Sketch& s) { mounts::add_private_propagation(s.plan(), Lane::payload); });
                    sketch.add(Phase::mounts, "proc", proc);
                  }}};

}  // namespace drydock::chapter
