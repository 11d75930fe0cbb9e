#include "experiments/agent.hpp"

#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <sstream>

#include <drydock/kernel/raw.hpp>
#include <drydock/kernel/sys.hpp>

#include "experiments.hpp"
#include "shared/look.hpp"

namespace drydock::chapter::pid {

Sketch with_agent(bool init) {
  Sketch sketch = sketch_of(3, request_of_this_user(inside("agent")));
  if (init)
    sketch.add(Phase::program, "init", [](Sketch& s) {
      s.plan().payload("init", plan::ops::init_fork()).on("pid 1").why("--init: pid 1 reaps and forwards, the program is pid 2");
    });
  return sketch;
}

std::string ask(Payload& payload, const std::string& words) {
  payload.talk().say(words);
  return payload.talk().line();
}

namespace {

volatile sig_atomic_t heard = 0;

template <typename Body>
pid_t fork_free(const Body& body) {
  const long pid = raw::call(SYS_clone, SIGCHLD, 0, 0, 0, 0);
  if (pid != 0) return static_cast<pid_t>(pid);
  body();
  ::_exit(0);
}

void wait_for_ever() {
  for (;;) ::pause();
}

// A grandchild whose parent ends at once, so that somebody adopts it.
template <typename Body>
pid_t orphan(const Body& body) {
  auto [read_end, write_end] = pipe_pair();
  const pid_t middle = fork_free([&] {
    const pid_t grandchild = fork_free(body);
    raw::call(SYS_write, write_end.get(), &grandchild, sizeof grandchild);
  });
  pid_t grandchild = 0;
  sys::read(read_end, &grandchild, sizeof grandchild);
  ::waitpid(middle, nullptr, 0);
  return grandchild;
}

std::string litter(int count) {
  for (int one = 0; one < count; ++one) orphan([] {});
  return "done";
}

long zombies() {
  const std::vector<pid_t> all = processes();
  return std::count_if(all.begin(), all.end(), [](pid_t pid) { return status_field(pid, "State").starts_with("Z"); });
}

std::string handle(int signal) {
  struct sigaction action {};
  action.sa_handler = [](int) { heard = heard + 1; };
  action.sa_flags = SA_RESTART;
  ::sigaction(signal, &action, nullptr);
  return "done";
}

std::string obey(const std::string& line) {
  std::istringstream words(line);
  std::string verb;
  int first = 0, second = 0;
  words >> verb >> first >> second;
  if (verb == "fork") return std::to_string(fork_free(wait_for_ever));
  if (verb == "orphan") return std::to_string(orphan(wait_for_ever));
  if (verb == "litter") return litter(first);
  if (verb == "kill") return text(Outcome{raw::call(SYS_kill, first, second)});
  if (verb == "handle") return handle(first);
  if (verb == "heard") return std::to_string(heard);
  if (verb == "processes") return std::to_string(processes().size());
  if (verb == "zombies") return std::to_string(zombies());
  if (verb == "parent") return status_field(first, "PPid");
  return verb == "pid" ? std::to_string(sys::getpid()) : "what is '" + line + "'?";
}

}  // namespace

int agent(Talk& chapter) {
  for (std::string line = chapter.line(); !line.empty(); line = chapter.line()) chapter.say(obey(line));
  return 0;
}

}  // namespace drydock::chapter::pid
