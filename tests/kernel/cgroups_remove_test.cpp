// A container may make groups below its own: undo must take them along, members and all.
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include <drydock/cgroups/layout.hpp>
#include <drydock/kernel/sys.hpp>
#include <drydock/plan/executor/ops.hpp>

#include "support/catch.hpp"
#include "support/forked.hpp"
#include "support/needs.hpp"

using namespace drydock;

TEST_CASE("remove_cgroup takes child groups and their members along", "[plan][cgroups]") {
  if (sys::geteuid() != 0) DRYDOCK_SKIP("not root; run with sudo");
  const cgroups::Layout layout = cgroups::read_layout();
  const cgroups::Place* pids = layout.find("pids");
  if (pids == nullptr) DRYDOCK_SKIP("no pids controller; mount a cgroup tree with it");
  const std::string group = pids->mount + "/drydock-test-" + sys::random_hex(12);
  sys::mkdirs(group + "/a/b");
  const pid_t child = test::forked();
  if (child == 0) {
    ::pause();
    ::_exit(0);
  }
  sys::write_file(group + "/a/b/cgroup.procs", std::to_string(child));
  CHECK(plan::executor::op_remove_cgroup(group.c_str()) == 0);
  CHECK_FALSE(sys::exists(group));
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WTERMSIG(status) == SIGKILL);
}
