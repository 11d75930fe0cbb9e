// Short ways to start a container in a test, and to look at it from outside: what the kernel says, never what drydock says.
//
// Example:
//   const auto box = detached(host, "box", "exec sleep 100", {"-m", "64m"});
//   CHECK(namespace_of(box.pid, "net") != namespace_of(0, "net"));
//   CHECK(in_container(host, "hostname").code == 0);
// Source: namespaces(7); Documentation/scheduler/sched-stats.rst for /proc/PID/schedstat.
#pragma once

#include <string>

#include "container/host.hpp"

namespace drydock::test {

bool has(const std::string& text, const std::string& part);

// run --rm OPTIONS busybox sh -c SCRIPT, until its end.
Result in_container(Host& host, const std::string& script, const Words& options = {});

// run -d --name NAME OPTIONS busybox sh -c SCRIPT. Throws std::runtime_error when it does not start.
container::Record detached(Host& host, const std::string& name, const std::string& script, const Words& options = {});

// Makes a file in the host's scratch directory; its path.
std::string scratch_file(const Host& host, const std::string& name, const std::string& content, unsigned mode = 0644);

// "net:[4026531840]"; pid 0 is this process.
std::string namespace_of(pid_t pid, const std::string& kind);

// What the scheduler gave the process (its first thread) so far, to the nanosecond.
double cpu_seconds(pid_t pid);

// File in the control group of `controller` that holds the limits of `pid`'s container; empty when there is no such hierarchy.
// On v2 the members live one level below it.
std::string limit_file(pid_t pid, const std::string& controller, const std::string& v1_file, const std::string& v2_file);

// One message: a single line "drydock: ..." on standard error, nothing on standard output, and this exit code.
bool one_message(const Result& result, int code);

}  // namespace drydock::test
