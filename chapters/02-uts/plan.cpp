// What chapter 02 adds to the plan: a UTS namespace, and two names in it.
#include <linux/sched.h>

#include "shared/sketch.hpp"

namespace drydock::chapter {

using namespace plan;

namespace {

void names(Sketch& sketch) {
  sketch.plan()
      .payload("hostname", ops::sethostname("lab02"))
      .on("hostname lab02")
      .why("in the new uts namespace; the host keeps its own");
  sketch.plan()
      .payload("domainname", ops::setdomainname("drynis"))
      .on("domain name drynis")
      .why("the NIS domain, which few programs know; DNS has nothing to do with it");
}

}  // namespace

const Growth uts{{.chapter = 2, .adds = {"hostname", "domainname"}, .changes = {"clone"}, .grow = [](Sketch& sketch) {
                    sketch.clone_flags |= CLONE_NEWUTS;
                    sketch.add(Phase::names, "hostname", names);
                  }}};

}  // namespace drydock::chapter
