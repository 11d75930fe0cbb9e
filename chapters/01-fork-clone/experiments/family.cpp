// Parents and children: who is a zombie, who an orphan, and who adopts.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <vector>

#include <drydock/kernel/raw.hpp>
#include <drydock/kernel/sys.hpp>
#include <drydock/process/wait.hpp>

#include "experiments.hpp"
#include "shared/child.hpp"
#include "shared/look.hpp"

namespace drydock::chapter::fork_clone {

namespace {

pid_t parent_of(pid_t pid) {
  const std::string field = status_field(pid, "PPid");
  return field.empty() ? 0 : std::stoi(field);
}

bool is_ancestor(pid_t candidate, pid_t of) {
  for (pid_t pid = of; pid > 0; pid = parent_of(pid))
    if (pid == candidate) return true;
  return false;
}

// A bare fork, without the guard that ends a Child with its parent: an orphan is meant to outlive it.
template <typename Body>
pid_t fork_free(const Body& body) {
  const long pid = raw::call(SYS_clone, SIGCHLD, 0, 0, 0, 0);
  if (pid != 0) return static_cast<pid_t>(pid);
  body();
  ::_exit(0);
}

// A process whose child outlives it. The grandchild says its pid, then on each word who its parent is; it ends with the talk.
// `subreaper`: a process in between adopts it.
Child make_orphan(bool subreaper) {
  Child stage(0, [=](Talk& chapter) {
    if (subreaper) raw::call(SYS_prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    const pid_t middle = fork_free([&] {
      fork_free([&] {
        chapter.say(std::to_string(sys::getpid()));
        chapter.say(std::to_string(::getppid()));
        while (!chapter.line().empty()) chapter.say(std::to_string(::getppid()));
      });
      raw::call(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
      ::pause();
    });
    chapter.say(std::to_string(middle));
    ::waitpid(middle, nullptr, 0);
    if (!subreaper) return 0;
    while (::waitpid(-1, nullptr, 0) > 0) {
    }  // what it has adopted
    return 0;
  });
  return stage;
}

struct Names {
  pid_t middle = 0, grandchild = 0;
};

// The stage says one line, the grandchild two: "pid" and then "parent", which is the middle process.
Names names_of(Child& stage) {
  std::vector<pid_t> said;
  for (int line = 0; line < 3; ++line) said.push_back(std::stoi(stage.talk().line()));
  for (const pid_t candidate : said)
    for (const pid_t other : said)
      if (candidate != other && parent_of(other) == candidate) return {candidate, other};
  return {};
}

pid_t ask_parent(Child& stage) {
  stage.talk().say("who?");
  return std::stoi(stage.talk().line());
}

}  // namespace

void zombie(Narrator& tell) {
  tell.step("a child ends with status 7; nobody has waited for it yet");
  Child child(0, [](Talk&) { return 7; });
  const pid_t pid = child.pid();
  child.ends_within(2000);
  tell.show("its state", status_field(pid, "State"), is("Z (zombie)"));
  tell.show("is its pid still taken?", is_alive(pid), is(true));
  tell.show("memory that it holds", status_field(pid, "VmSize").empty() ? "none" : "some", is("none"));
  tell.show("its parent", parent_of(pid) == sys::getpid() ? "as before" : "another", is("as before"));
  tell.step("waitpid");
  tell.show("status that wait returns", child.wait().code(), is(7));
  tell.show("is its pid still taken?", is_alive(pid), is(false));
  tell.result("dead and not waited for: a zombie. It keeps its pid and its status for the parent, and nothing else.");
}

void orphan(Narrator& tell) {
  tell.step("grandparent, middle, grandchild; the middle one is killed");
  Child stage = make_orphan(false);
  const Names names = names_of(stage);
  tell.show("parent of the grandchild, before", parent_of(names.grandchild) == names.middle ? "the middle" : "another",
            is("the middle"));
  raw::call(SYS_kill, names.middle, SIGKILL);
  eventually([&] { return parent_of(names.grandchild) != names.middle; });
  const pid_t adopter = ask_parent(stage);
  tell.show("is its new parent process 1 or a subreaper above us?", is_ancestor(adopter, sys::getpid()), is(true));
  tell.show("is it still running?", is_alive(names.grandchild), is(true));
  tell.step("the same with PR_SET_CHILD_SUBREAPER set by the grandparent");
  Child keeper = make_orphan(true);
  const Names kept = names_of(keeper);
  raw::call(SYS_kill, kept.middle, SIGKILL);
  eventually([&] { return parent_of(kept.grandchild) != kept.middle; });
  tell.show("its new parent", ask_parent(keeper) == keeper.pid() ? "the grandparent" : "another", is("the grandparent"));
  tell.step("each grandchild ends by itself, when nobody talks to it any more");
  for (Child* one : {&stage, &keeper}) one->talk().close();
  // Who adopted it may take its time to reap it: that is its affair.
  const auto has_ended = [&] { return !is_alive(names.grandchild) || status_field(names.grandchild, "State").starts_with("Z"); };
  tell.show("does the first end?", eventually(has_ended), is(true));
  tell.show("exit status of the grandparent", keeper.wait().code(), is(0));
  tell.result("alive, and its parent is dead: an orphan. It gets a new parent, goes on, and comes to no harm.");
}

void double_fork(Narrator& tell) {
  tell.step("a daemon's trick: fork, fork again, and the one in between ends at once");
  Child keeper = make_orphan(true);
  const Names names = names_of(keeper);
  raw::call(SYS_kill, names.middle, SIGTERM);
  eventually([&] { return !is_alive(names.middle); });
  tell.show("is the one in between waited for?", is_alive(names.middle), is(false));
  tell.show("does the grandchild run?", is_alive(names.grandchild), is(true));
  tell.show("is the one in between its parent?", ask_parent(keeper) == names.middle, is(false));
  keeper.talk().close();
  tell.show("does whoever adopted it reap it?", eventually([&] { return !is_alive(names.grandchild); }), is(true));
  tell.result("whoever forks twice needs not wait for the grandchild: that has become somebody else's duty.");
}

void child_signal(Narrator& tell) {
  tell.step("a parent with a handler for SIGCHLD has three children, which end one after the other");
  Child parent(0, [](Talk& chapter) {
    static volatile sig_atomic_t reaped = 0;
    struct sigaction action {};
    action.sa_handler = [](int) {
      while (raw::call(SYS_wait4, -1, nullptr, WNOHANG, nullptr) > 0)
        reaped = reaped + 1;  // one signal may stand for several children
    };
    ::sigaction(SIGCHLD, &action, nullptr);
    for (int count = 0; count < 3; ++count) fork_free([=] { pause_ms(5 * count); });
    eventually([] { return reaped == 3; });
    chapter.say(std::to_string(reaped));
    action.sa_handler = SIG_IGN;
    ::sigaction(SIGCHLD, &action, nullptr);
    const pid_t ignored = fork_free([] {});
    eventually([=] { return !is_alive(ignored); });
    chapter.say(is_alive(ignored) ? "a zombie" : "gone");
    chapter.say(text(Outcome{raw::call(SYS_wait4, ignored, nullptr, 0, nullptr)}));
    return 0;
  });
  tell.show("reaped in the handler", parent.talk().line(), is("3"));
  tell.step("the same parent ignores SIGCHLD, and has one more child");
  tell.show("the child, after its end", parent.talk().line(), is("gone"));
  tell.show("wait for it", parent.talk().line(), contains("ECHILD"));
}

void pidfd(Narrator& tell) {
  tell.step("a child, and a descriptor that stands for it: pidfd_open(2)");
  Child child(0, [](Talk& chapter) { return chapter.line().empty() ? 3 : 4; });
  const Fd fd = sys::pidfd_open(child.pid());
  tell.show("readable while it runs?", process::wait_readable(fd.get(), 0), is(false));
  child.talk().close();
  tell.show("readable when it has ended?", process::wait_readable(fd.get(), 2000), is(true));
  tell.show("waitid(P_PIDFD)", child.wait().words(), is("exited with 3"));
  tell.show("a signal through it afterwards", Outcome{raw::call(SYS_pidfd_send_signal, fd.get(), 0, nullptr, 0)},
            fails_with(ESRCH));
  tell.result("the number may belong to a stranger tomorrow. The descriptor never does: it says that nobody is there.");
}

namespace {

// Serves `clients` requests, a child for each; says how many children live at once, and how many zombies there are at the end.
int serve(Talk& chapter, int clients, bool reap) {
  if (reap) ::signal(SIGCHLD, SIG_IGN);
  auto [ready_read, ready_write] = pipe_pair();
  auto [go_read, go_write] = pipe_pair();
  std::vector<pid_t> children;
  for (int client = 0; client < clients; ++client)
    children.push_back(fork_free([&] {
      go_write.reset();
      raw::call(SYS_write, ready_write.get(), "r", 1);
      char word = 0;
      raw::call(SYS_read, go_read.get(), &word, 1);  // a slow request: it ends when all may
    }));
  char word = 0;
  int working = 0;
  while (working < clients && raw::call(SYS_read, ready_read.get(), &word, 1) == 1) ++working;
  chapter.say(std::to_string(working));
  go_write.reset();
  int zombies = 0;
  for (const pid_t pid : children) {
    eventually([=] { return !is_alive(pid) || status_field(pid, "State").starts_with("Z"); });
    zombies += is_alive(pid) ? 1 : 0;
  }
  chapter.say(std::to_string(zombies));
  return 0;
}

}  // namespace

void fork_server(Narrator& tell) {
  tell.step("a server forks a child for each of 8 slow requests, and goes on listening");
  Child careless(0, [](Talk& chapter) { return serve(chapter, 8, false); });
  tell.show("requests in work at the same time", careless.talk().line(), is("8"));
  tell.show("zombies when all are done", careless.talk().line(), is("8"));
  tell.step("the same, and the server lets the kernel reap (SIGCHLD ignored)");
  Child careful(0, [](Talk& chapter) { return serve(chapter, 8, true); });
  tell.show("requests in work at the same time", careful.talk().line(), is("8"));
  tell.show("zombies when all are done", careful.talk().line(), is("0"));
  tell.result("\"the parent only listens\" is half of it: it must also wait for its children, or say that it will not.");
}

}  // namespace drydock::chapter::fork_clone
