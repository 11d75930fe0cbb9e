// Chapter 03, the exercise: be process 1, and do its work.
//
// Each function returns what it says, or -errno of the call that failed. Nothing prints or throws.
// Manual: clone(2), pid_namespaces(7), proc(5), mount(2), waitpid(2), sigwaitinfo(2), signal(7).
#pragma once

// Executes argv (argv[0] is a path, a null pointer ends it) in a child that is process 1 of a new pid namespace, and in a new
// mount namespace in which /proc shows the processes of that pid namespace. Nothing that is mounted there is seen outside.
// Returns the child's pid as the caller sees it. A child that cannot execute argv ends with status 127.
int spawn_init(char* const argv[]);

// The work of process 1, which this function is called in; `main` is the pid of its one child. Waits for every child that ends,
// also for orphans that fall to it, at once; sends SIGTERM on to `main`. When `main` has ended, it returns: the exit code, or
// 128 + n when signal n ended it.
int init_loop(int main);
