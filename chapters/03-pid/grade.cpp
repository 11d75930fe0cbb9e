// What is looked at: NSpid, what the probe's /proc lists, zombies, and a signal that this side sends.
#include <signal.h>

#include <algorithm>
#include <set>

#include <drydock/kernel/error.hpp>
#include <drydock/kernel/sys.hpp>
#include <drydock/lab/exercise.hpp>

using namespace drydock::lab;

namespace {

constexpr const char* returns_errno = "its result, negative, is the errno of the call that failed";

std::string text_of(const std::vector<pid_t>& pids) {
  std::string text;
  for (const pid_t pid : pids) text += (text.empty() ? "" : " ") + std::to_string(pid);
  return text;
}

// The probe, executed by spawn_init.
struct Spawned {
  std::unique_ptr<Box> box;
  std::optional<pid_t> probe;

  explicit Spawned(Bench& bench) {
    const std::string token = bench.random().word("t-");
    box = bench.start({"/lab/program", "spawn", "/lab/probe", "hold", token});
    probe = bench.wait_for_probe(*box, {"/lab/probe", "hold", token});
  }
  std::optional<drydock::facts::Snapshot> seen() { return probe ? look(*box, *probe) : std::nullopt; }
  Verdict never_seen() { return not_seen(*box, "spawn_init returns a pid, and the program stands there", returns_errno); }
};

Verdict process_one(Bench& bench) {
  Spawned spawned(bench);
  const auto seen = spawned.seen();
  if (!seen) return spawned.never_seen();
  // The host's number, the box's, and one level more.
  const auto& pids = seen->status.ns_pids;
  if (pids.size() == 3 && pids.back() == 1) return ok();
  return fail({"a number on one level more than the box's, and it is 1", text_of(pids) + " (outermost first)",
               "NSpid in /proc/PID/status",
               "clone(2) with CLONE_NEWPID: the first child is process 1; unshare(2) moves only later children"});
}

// The numbers that /proc lists in the root of `pid`.
std::set<std::string> listed(pid_t pid) {
  std::set<std::string> numbers;
  for (const std::string& name : drydock::sys::list_directory("/proc/" + std::to_string(pid) + "/root/proc"))
    if (name.find_first_not_of("0123456789") == std::string::npos) numbers.insert(name);
  return numbers;
}

std::string joined(const std::set<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text.empty() ? "no process" : text;
}

Verdict own_proc(Bench& bench) {
  Spawned spawned(bench);
  const auto seen = spawned.seen();
  if (!seen) return spawned.never_seen();
  const auto& mounts = seen->mounts;
  const auto last = std::find_if(mounts.rbegin(), mounts.rend(), [](const auto& mount) { return mount.target == "/proc"; });
  const bool is_proc = last != mounts.rend() && last->type == "proc" && last->root == "/";
  const auto numbers = is_proc ? listed(*spawned.probe) : std::set<std::string>();
  if (numbers != std::set<std::string>{"1"})
    return fail({"/proc lists process 1 and no other", joined(numbers), "/proc/PID/root/proc",
                 "a proc file system shows the pid namespace of whoever mounts it: mount it anew, inside"});
  if (namespace_of(*spawned.probe, "mnt") != namespace_of(seen->status.parent, "mnt")) return ok();
  return fail({"a mount namespace of its own", "that of the process that called", "/proc/PID/ns/mnt",
               "with CLONE_NEWNS the new /proc is not seen outside"});
}

// A pid namespace whose process 1 is in init_loop; the probe is its main child.
std::unique_ptr<Box> start_init(Bench& bench, Words main) {
  Words words{"/lab/probe", "pidns", "run", "/lab/program", "init", "/lab/probe"};
  words.insert(words.end(), main.begin(), main.end());
  return bench.start(std::move(words));
}

Verdict orphans_reaped(Bench& bench) {
  const std::string token = bench.random().word("t-"), count = std::to_string(bench.random().between(40, 60));
  const auto box = start_init(bench, {"orphans", count, "then", "hold", token});
  if (!bench.wait_for_probe(*box, {"/lab/probe", "hold", token}))
    return not_seen(*box, count + " orphans come and go while init_loop runs", returns_errno);
  // The probe, process 1 of its namespace, and the process that made that one.
  if (box->wait_for([&] { return zombies(*box) == 0 && box->pids().size() == 3; }, 1500)) return ok();
  if (box->ended()) return not_seen(*box, "init_loop runs as long as its main child", returns_errno);
  return fail({"no zombie a second after " + count + " orphans have ended", std::to_string(zombies(*box)) + " zombies",
               "State in /proc/PID/status",
               "an orphan's new parent is process 1: it waits for every child (waitpid with -1), again and again"});
}

Verdict term_forwarded(Bench& bench) {
  const int status = bench.random().between(3, 120);
  const Words main{"/lab/probe", "term", std::to_string(status)};
  const auto box = start_init(bench, {"masked", "then", "term", std::to_string(status)});
  const auto probe = bench.wait_for_probe(*box, main);
  const auto seen = probe ? look(*box, *probe) : std::nullopt;
  if (!seen) return not_seen(*box, "init_loop runs as long as its main child", returns_errno);
  const std::string expected = "SIGTERM to process 1 ends main, and its status " + std::to_string(status) + " is returned";
  // Process 1 may be on its way into init_loop: the signal is sent until something happens.
  for (int tries = 0; tries < 10 && !box->ended(); ++tries) {
    ::kill(seen->status.parent, SIGTERM);
    box->wait_for([] { return false; }, 200);
  }
  if (!box->ended())
    return fail(
        {expected, "everything ran on", "the processes of the box",
         "process 1 gets only signals that it asks for: block SIGTERM and take it with sigwaitinfo(2), then kill(2) main"});
  const BoxEnd& end = box->stop();
  if (end.exit_code == status) return ok();
  return fail({expected, "status " + std::to_string(end.exit_code.value_or(-1)), "the exit status of process 1",
               "main's status is returned, WEXITSTATUS or 128 + the signal, and main is given the time to end"});
}

const Registration registration({"03",
                                 {{"1a", "process 1 of a pid namespace of its own", 25, {}, "", process_one},
                                  {"1b", "/proc shows that namespace, and only there", 25, {}, "1a", own_proc},
                                  {"2a", "fifty orphans end, and no zombie stays", 25, {}, "", orphans_reaped},
                                  {"2b", "SIGTERM reaches main, its status comes back", 25, {}, "", term_forwarded}}});

}  // namespace
