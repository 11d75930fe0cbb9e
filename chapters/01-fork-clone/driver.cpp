// Calls the functions of the exercise.
//   jobs MAX WORDS... [-- WORDS...]...   run_jobs of the probe with each list of words; the statuses are printed
//   reap WORDS...                        starts the probe with these words, then reap_all; its result is printed
#include "driver.hpp"
#include "exercise.hpp"

using namespace driver;

namespace {

constexpr int most_jobs = 32, most_words = 256;
char probe[] = "/lab/probe";

int jobs(int values, int max, char** words) {
  static char* lists[most_words + most_jobs];
  static char* const* argvs[most_jobs];
  int statuses[most_jobs], count = 0, at = 0;
  while (*words != nullptr && count < most_jobs) {
    argvs[count++] = lists + at;
    lists[at++] = probe;
    while (*words != nullptr && strcmp(*words, "--") != 0 && at < most_words) lists[at++] = *words++;
    lists[at++] = nullptr;
    if (*words != nullptr) ++words;
  }
  for (int& status : statuses) status = -1;
  if (say("run_jobs", run_jobs(argvs, count, max, statuses)) != 0) return failed;
  for (int job = 0; job < count; ++job) dprintf(values, "%d\n", statuses[job]);
  return 0;
}

int reap(int values, char** words) {
  words[-1] = probe;
  const pid_t child = fork();
  if (child == 0) execute(words - 1);
  const long result = say("reap_all", reap_all());
  dprintf(values, "%ld\n", result);
  usleep(300'000);  // an orphan that was left behind is looked at before everything ends with this process
  return result < 0 ? failed : 0;
}

}  // namespace

int main(int argc, char** argv) {
  const int values = take_output();
  if (argc > 3 && is(argv, "jobs")) return jobs(values, atoi(argv[2]), argv + 3);
  if (argc > 2 && is(argv, "reap")) return reap(values, argv + 2);
  return wrong_words;
}
