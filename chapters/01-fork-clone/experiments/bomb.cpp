// A fork bomb in a group that may have 20 tasks: the kernel refuses, the machine does not notice.
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <string>

#include <drydock/kernel/raw.hpp>

#include "experiments.hpp"
#include "shared/child.hpp"
#include "shared/own_group.hpp"
#include "shared/payload.hpp"

namespace drydock::chapter::fork_clone {

namespace {

constexpr int most_tasks = 20;
constexpr int most_tries = 1000;  // it would end by itself even without the limit

}  // namespace

// Every process forks, and so do its children, until somebody refuses.
int bomb(Talk& chapter) {
  chapter.line();
  const pid_t first = static_cast<pid_t>(raw::call(SYS_getpid));
  long result = 0;
  for (int tries = 0; tries < most_tries && !raw::failed(result); ++tries) result = raw::call(SYS_clone, SIGCHLD, 0, 0, 0, 0);
  if (raw::call(SYS_getpid) != first) {
    ::pause();
    return 0;
  }
  chapter.say(text(Outcome{result}));
  chapter.line();
  return 0;
}

void fork_bomb(Narrator& tell) {
  cgroups::Limits limits;
  limits.pids = most_tasks;
  OwnGroup group(limits);
  Sketch sketch = sketch_of(1, request_of_this_user(inside("bomb")));
  group.add_to(sketch);
  tell.step("a group with pids.max = 20, and a program in it in which every process forks and forks");
  Payload payload(tell, std::move(sketch));
  cgroups::Group watched = group.watch();
  payload.talk().say("go");
  tell.show("what fork answers in the end", payload.talk().line(), contains("EAGAIN"));
  tell.show("tasks in the group", watched.usage().tasks.value_or(0), is(most_tasks));
  tell.show("refused forks, pids.events", About{static_cast<double>(watched.events().fork_failures)}, at_least(About{1}));
  tell.step("and outside?");
  Child outside(0, [](Talk&) { return 0; });
  tell.show("a fork on the host ends with", outside.wait().code(), is(0));
  watched.kill();
  tell.show("is the group empty after one kill?", watched.wait_empty(2000), is(true));
  tell.result("a fork bomb doubles until something says no. A limit on the group says it, for all its descendants together.");
}

}  // namespace drydock::chapter::fork_clone
