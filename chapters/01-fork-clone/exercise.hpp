// Chapter 01, the exercise: start programs, wait for all of them, and lose none.
//
// Each function returns what it says, or -errno of the call that failed. None of them ends the process, prints, or throws.
// Manual: fork(2), execve(2), wait(2), waitpid(2), prctl(2), PR_SET_CHILD_SUBREAPER(2const).
#pragma once

// Runs `count` programs. argvs[i] is the argument list of program i: argvs[i][0] is its path, a null pointer ends it. At most
// `max` of them (1 or more) run at the same time, and as many as that as long as there are more to start. A child that has ended
// is waited for at once, also while others run on. Returns 0 when all have ended; statuses[i] is then the exit code of program i,
// or 128 + n when signal n ended it, or 127 when it could not be executed. The caller has no other children.
int run_jobs(char* const* const* argvs, int count, int max, int* statuses);

// From its call on, an orphan among the descendants of this process becomes a child of this process, not of process 1. Waits
// until there is no child left, and returns how many it has waited for.
int reap_all();
