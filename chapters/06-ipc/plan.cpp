// What chapter 06 adds to the plan: an IPC namespace, and its message queues on /dev/mqueue.
#include <linux/sched.h>

#include "shared/sketch.hpp"

namespace drydock::chapter {

const Growth ipc{
    {.chapter = 6,
     .adds = {"mount.mqueue.open", "mount.mqueue.source", "mount.mqueue.create", "mount.mqueue", "mount.mqueue.attach"},
     .changes = {"clone"},
     .grow = [](Sketch& sketch) {
       sketch.clone_flags |= CLONE_NEWIPC;
       sketch.system.mqueue = true;
     }}};

}  // namespace drydock::chapter
