#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>

#include <drydock/kernel/raw.hpp>
#include <drydock/plan/executor/ops.hpp>
#include <drydock/plan/executor/text.hpp>

namespace drydock::plan::executor {

namespace {

void kill_members(const char* path) {
  char file[4096], members[8192];
  Line(file, sizeof file).put(path).put("/cgroup.kill");
  if (write_small_file(AT_FDCWD, file, "1", 1) == 0) return;
  Line(file, sizeof file).put(path).put("/cgroup.procs");
  if (read_small_file(file, members, sizeof members) <= 0) return;
  long pid = 0;
  for (const char* at = members; *at != '\0'; ++at) {
    if (*at >= '0' && *at <= '9') {
      pid = pid * 10 + (*at - '0');
    } else {
      // pid 0 stands for a member of another pid namespace: not ours to see.
      if (pid > 1) raw::call(SYS_kill, pid, SIGKILL);
      pid = 0;
    }
  }
}

}  // namespace

// A group with members cannot be removed (EBUSY); its members are what is left of the container.
long op_remove_cgroup(const char* path) {
  for (int tries = 0;; ++tries) {
    const long result = raw::call(SYS_unlinkat, AT_FDCWD, path, AT_REMOVEDIR);
    if (!raw::failed(result) || result == -ENOENT) return 0;
    if (result != -EBUSY || tries >= 500) return result;
    if (tries % 8 == 0) kill_members(path);
    const timespec pause{0, tries < 8 ? 100'000L : 2'000'000L};
    raw::call(SYS_nanosleep, &pause, nullptr);
  }
}

}  // namespace drydock::plan::executor
