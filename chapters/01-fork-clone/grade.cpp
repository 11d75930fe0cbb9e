// What is looked at: how many probes stand at once, zombies and parents in /proc, and statuses that are compared out here.
#include <signal.h>

#include <algorithm>
#include <sstream>

#include <drydock/lab/exercise.hpp>

using namespace drydock::lab;

namespace {

constexpr const char* returns_errno = "its result, negative, is the errno of the call that failed";

Words jobs_words(int max, const std::vector<Words>& jobs) {
  Words words{"/lab/program", "jobs", std::to_string(max)};
  for (const Words& job : jobs) {
    if (&job != &jobs.front()) words.push_back("--");
    words.insert(words.end(), job.begin(), job.end());
  }
  return words;
}

std::string text_of(const std::vector<int>& numbers) {
  std::string text;
  for (const int number : numbers) text += (text.empty() ? "" : " ") + std::to_string(number);
  return text.empty() ? "nothing" : text;
}

// Numbers that the driver printed; what is no number ends the list.
std::vector<int> values_of(const std::string& output) {
  std::istringstream stream(output);
  std::vector<int> values;
  for (int value; stream >> value;) values.push_back(value);
  return values;
}

int standing(const Bench& bench, const Box& box, const std::string& token) {
  return static_cast<int>(find_probes(box, bench.probe(), {"/lab/probe", "hold", token}).size());
}

Verdict as_many_as_allowed(Bench& bench) {
  const int max = bench.random().between(2, 4), count = max + bench.random().between(2, 4);
  const std::string token = bench.random().word("t-");
  const auto box = bench.start(jobs_words(max, std::vector<Words>(static_cast<std::size_t>(count), {"hold", token})));
  const std::string expected = std::to_string(max) + " of " + std::to_string(count) + " programs at once";
  for (int ended = 0; ended <= count - max; ++ended) {
    if (!box->wait_for([&] { return standing(bench, *box, token) >= max; }, 3000)) {
      if (box->ended()) return not_seen(*box, expected, returns_errno);
      return fail({expected, std::to_string(standing(bench, *box, token)) + " after " + std::to_string(ended) + " had ended",
                   "the processes of the box", "a new one is started whenever fewer than max run"});
    }
    box->wait_for([] { return false; }, 150);  // one too many would have come by now
    const auto now = find_probes(*box, bench.probe(), {"/lab/probe", "hold", token});
    if (static_cast<int>(now.size()) != max)
      return fail(
          {expected, std::to_string(now.size()), "the processes of the box", "wait for one to end before the next is started"});
    // The youngest: who waits for the oldest does not see it.
    if (ended < count - max) ::kill(*std::max_element(now.begin(), now.end()), SIGKILL);
  }
  return ok();
}

Verdict statuses(Bench& bench) {
  std::vector<Words> jobs;
  std::vector<int> expected;
  for (int job = 0; job < 6; ++job) {
    const bool by_signal = job == 1 || job == 4;
    const int value = by_signal ? (job == 1 ? SIGKILL : SIGTERM) : bench.random().between(0, 120);
    // The first ones end last: the order of the ends is not that of the starts.
    jobs.push_back({"sleep", std::to_string((6 - job) * 20), by_signal ? "signal" : "exit", std::to_string(value)});
    expected.push_back(by_signal ? 128 + value : value);
  }
  const auto box = bench.start(jobs_words(3, jobs));
  const BoxEnd& end = box->wait();
  if (end.exit_code != 0) return not_seen(*box, "run_jobs returns 0 when all have ended", returns_errno);
  const std::vector<int> seen = values_of(end.output);
  if (seen == expected) return ok();
  return fail(
      {"statuses " + text_of(expected), text_of(seen), "the array that run_jobs has filled",
       "wait(2): WEXITSTATUS holds for WIFEXITED only, WTERMSIG for WIFSIGNALED; each belongs to the program that ended"});
}

Verdict no_zombies(Bench& bench) {
  const std::string token = bench.random().word("t-");
  std::vector<Words> jobs{{"hold", token}};
  for (int job = 0; job < 4; ++job) jobs.push_back({"exit", std::to_string(bench.random().between(0, 9))});
  jobs.push_back({"hold", token});
  const auto box = bench.start(jobs_words(2, jobs));
  // The last one stands only when the four before it have made room.
  const bool came = box->wait_for([&] { return standing(bench, *box, token) == 2; }, 3000);
  if (came && box->wait_for([&] { return zombies(*box) == 0; }, 1000)) return ok();
  if (box->ended()) return not_seen(*box, "four ended programs are waited for while a fifth runs on", returns_errno);
  return fail(
      {"no zombie, and the next program runs, while the first one runs on",
       std::to_string(zombies(*box)) + " zombies, " + std::to_string(standing(bench, *box, token)) + " of 2 long programs",
       "State in /proc/PID/status", "wait for whichever child ends (waitpid with -1), not for one after the other"});
}

// The program that waits, and the orphan below it.
struct Orphaned {
  std::string token;
  std::unique_ptr<Box> box;
  std::optional<pid_t> orphan;

  explicit Orphaned(Bench& bench) : token(bench.random().word("t-")) {
    box = bench.start({"/lab/program", "reap", "sleep", "150", "orphan", "hold", token});
    orphan = bench.wait_for_probe(*box, {"/lab/probe", "hold", token});
  }
};

Verdict adopted(Bench& bench) {
  Orphaned orphaned(bench);
  if (!orphaned.orphan) return not_seen(*orphaned.box, "an orphan below reap_all", returns_errno);
  const auto seen = look(*orphaned.box, *orphaned.orphan);
  if (!seen) return not_seen(*orphaned.box, "an orphan below reap_all", returns_errno);
  const pid_t init = orphaned.box->init();
  for (const Process& process : processes(*orphaned.box))
    if (process.pid == seen->status.parent && process.parent == init) return ok();
  return fail({"the orphan's parent is the process in reap_all",
               seen->status.parent == init ? "process 1" : "process " + std::to_string(seen->status.parent),
               "PPid in /proc/PID/status", "PR_SET_CHILD_SUBREAPER must be set before the orphan's parent ends"});
}

Verdict counted(Bench& bench) {
  Orphaned orphaned(bench);
  if (!orphaned.orphan) return not_seen(*orphaned.box, "an orphan below reap_all", returns_errno);
  orphaned.box->wait_for([&] { return orphaned.box->pids().size() == 2; }, 1000);
  ::kill(*orphaned.orphan, SIGKILL);
  const BoxEnd& end = orphaned.box->wait();
  if (values_of(end.output) == std::vector<int>{2}) return ok();
  return fail({"reap_all returns 2 when the child and the orphan have ended", text_of(values_of(end.output)), "its result",
               "it waits until waitpid(2) says ECHILD, and counts"});
}

const Registration registration({"01",
                                 {{"1a", "as many at once as allowed, never more", 30, {}, "", as_many_as_allowed},
                                  {"1b", "the status of each, also of those killed", 25, {}, "", statuses},
                                  {"1c", "no zombie while a long one runs on", 20, {}, "1a", no_zombies},
                                  {"2a", "an orphan falls to the waiting process", 15, {}, "", adopted},
                                  {"2b", "all are waited for, and counted", 10, {}, "2a", counted}}});

}  // namespace
