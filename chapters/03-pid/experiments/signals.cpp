// Signals across the border: from above, from inside, outwards, and to everybody.
#include <errno.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <string>

#include <drydock/kernel/raw.hpp>
#include <drydock/kernel/sys.hpp>

#include "experiments.hpp"
#include "experiments/agent.hpp"
#include "shared/child.hpp"
#include "shared/look.hpp"
#include "shared/payload.hpp"

namespace drydock::chapter::pid {

namespace {

constexpr int a_while_ms = 150;  // in which a signal would long have done its work
constexpr int at_most_ms = 5000;

Outcome send(pid_t pid, int signal) {
  return {raw::call(SYS_kill, pid, signal)};
}

const std::string term = std::to_string(SIGTERM), kill_signal = std::to_string(SIGKILL);

}  // namespace

void from_above(Narrator& tell) {
  tell.step("the host signals process 1 of a container, by the pid that it has on the host");
  Payload payload(tell, with_agent());
  tell.show("kill(pid, SIGTERM)", send(payload.pid(), SIGTERM), succeeds());
  tell.show("has it ended?", payload.ends_within(a_while_ms), is(false));
  tell.step("it installs a handler for SIGTERM");
  ask(payload, "handle " + term);
  send(payload.pid(), SIGTERM);
  tell.show("does the handler hear the next one?", eventually([&] { return ask(payload, "heard") == "1"; }), is(true));
  tell.step("SIGSTOP and SIGKILL cannot be refused to those above");
  send(payload.pid(), SIGSTOP);
  tell.show("state after SIGSTOP",
            eventually([&] { return status_field(payload.pid(), "State").starts_with("T"); }) ? "stopped" : "running",
            is("stopped"));
  send(payload.pid(), SIGKILL);
  tell.show("exit status after SIGKILL", payload.wait(), is(128 + SIGKILL));
  tell.result("from above: SIGKILL and SIGSTOP always, everything else only if process 1 has a handler for it.");
}

void from_inside(Narrator& tell) {
  tell.step("process 1 of a container sends signals to itself: nobody inside has more right to");
  Payload payload(tell, with_agent());
  tell.show("kill(1, SIGTERM)", ask(payload, "kill 1 " + term), is("it succeeds"));
  tell.show("kill(1, SIGKILL)", ask(payload, "kill 1 " + kill_signal), is("it succeeds"));
  tell.show("does it still answer?", ask(payload, "pid"), is("1"));
  tell.step("the same to an ordinary child of it");
  const std::string child = ask(payload, "fork");
  tell.show("kill(child, SIGKILL)", ask(payload, "kill " + child + " " + kill_signal), is("it succeeds"));
  tell.show("zombies inside", eventually([&] { return ask(payload, "zombies") == "1"; }), is(true));
  tell.result(
      "process 1 gets no signal from inside that it has no handler for, not even SIGKILL. kill(2) says nothing about that.");
}

void outwards(Narrator& tell) {
  tell.step("a process outside, and a container that tries to signal it by its pid there");
  Child outside(0, [](Talk& chapter) { return chapter.line().empty() ? 0 : 1; });
  Payload payload(tell, with_agent());
  tell.show("kill(pid outside, SIGKILL)", ask(payload, "kill " + std::to_string(outside.pid()) + " " + kill_signal),
            contains("ESRCH"));
  tell.show("does it end?", outside.ends_within(a_while_ms), is(false));
  tell.step("another way out: a pipe that was open before the namespace was made");
  auto [read_end, write_end] = pipe_pair();
  Child inside_child(for_this_user(CLONE_NEWPID), [&](Talk&) {
    const std::string words = "from inside\n";
    raw::call(SYS_write, write_end.get(), words.data(), words.size());
    return 0;
  });
  tell.show("what comes through it", Talk(std::move(read_end), Fd()).line(), is("from inside"));
  tell.result("what has no number cannot be signalled. Files, pipes, sockets and memory do not ask for numbers.");
}

void kill_everybody(Narrator& tell) {
  tell.step("process 1 of a container has three children, and calls kill(-1, SIGKILL)");
  Child outside(0, [](Talk& chapter) { return chapter.line().empty() ? 0 : 1; });
  Payload payload(tell, with_agent());
  for (int child = 0; child < 3; ++child) ask(payload, "fork");
  tell.show("processes inside, before", ask(payload, "processes"), is("4"));
  tell.show("kill(-1, SIGKILL)", ask(payload, "kill -1 " + kill_signal), is("it succeeds"));
  tell.show("zombies inside", eventually([&] { return ask(payload, "zombies") == "3"; }) ? "3" : "other", is("3"));
  tell.show("does process 1 answer?", ask(payload, "pid"), is("1"));
  tell.show("does the process outside end?", outside.ends_within(a_while_ms), is(false));
  tell.result("\"everybody\" are those whom the caller can name: its namespace without process 1 and itself.");
}

namespace {

// `sh` as the program; the container's `--init` puts the core's init before it.
Sketch with_shell(bool init) {
  Sketch sketch = sketch_of(3, request_of_this_user({"sh", "-c", "echo ready; while :; do sleep 1; done"}));
  if (init)
    sketch.add(Phase::program, "init", [](Sketch& s) {
      s.plan().payload("init", plan::ops::init_fork()).on("pid 1").why("--init: pid 1 reaps and forwards, the program is pid 2");
    });
  return sketch;
}

}  // namespace

void shell_and_sigterm(Narrator& tell) {
  tell.step("a shell in a loop, as process 1; the runtime sends SIGTERM, as `stop` does");
  Payload bare(tell, with_shell(false));
  bare.talk().line();
  bare.signal(SIGTERM);
  tell.show("has it ended?", bare.ends_within(a_while_ms), is(false));
  bare.signal(SIGKILL);
  tell.show("exit status after SIGKILL", bare.wait(), is(128 + SIGKILL));
  tell.step("the same with --init: a small process 1 that forwards signals and reaps, and the shell as process 2");
  Payload with_init(tell, with_shell(true));
  with_init.talk().line();
  with_init.signal(SIGTERM);
  tell.show("has it ended?", with_init.ends_within(at_most_ms), is(true));
  tell.show("exit status after SIGTERM", with_init.wait(), is(128 + SIGTERM));
  tell.result(
      "`stop` that takes ten seconds is a process 1 without a handler. An init in front of it has no such privilege to lose.");
}

}  // namespace drydock::chapter::pid
