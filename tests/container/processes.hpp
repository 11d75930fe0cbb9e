// The processes of this machine, as far as they come from this one.
//
// Example: for (const auto& [pid, name] : descendants()) std::cout << name << ' ' << pid << '\n';
// Source: proc_pid_stat(5), PR_SET_CHILD_SUBREAPER in prctl(2).
#pragma once

#include <sys/types.h>

#include <map>
#include <string>
#include <vector>

namespace drydock::test {

// Names by pid; zombies left out.
std::map<pid_t, std::string> descendants();
// Of one process, which may have ended meanwhile; zombies left out.
std::vector<pid_t> children_of(pid_t parent);

// Orphans come to us (a Host makes us a subreaper): zombies among them are nobody else's to reap. Children that a Program or a
// Console waits for are reaped by it, and are alive whenever leftovers are looked for.
void reap_orphans();

}  // namespace drydock::test
