// Small looks at the kernel that several chapters take. Each asks the kernel now; nothing is remembered.
//
// Example: tell.show("hostname inside", visit(payload.pid(), {Kind::uts}, hostname), is("lab02"));
// Source: uname(2), proc(5).
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "shared/values.hpp"

namespace drydock::chapter {

std::string hostname();                        // of uname(2), in the caller's UTS namespace
std::string nis_domain();                      // the same call's domainname
std::string kernel_version();                  // the numbers of its release: "6.18.44"
std::string link_of(const std::string& path);  // readlink(2)
// A field of /proc/PID/status without its blanks: status_field(1, "State") == "S (sleeping)". Empty when there is none.
std::string status_field(pid_t pid, const std::string& field);
// Processes that the caller's /proc shows.
std::vector<pid_t> processes();
bool is_alive(pid_t pid);  // kill(pid, 0): a zombie counts
// Asks until it is so, for two seconds at most; what it was in the end.
template <typename Test>
bool eventually(Test test);
void pause_ms(int milliseconds);

template <typename Test>
bool eventually(Test test) {
  for (int tries = 0; tries < 400; ++tries) {
    if (test()) return true;
    pause_ms(5);
  }
  return test();
}

}  // namespace drydock::chapter
