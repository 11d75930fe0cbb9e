// An ordinary account of a machine with systemd and cgroup v2: its part of the control group tree, and programs started in it.
//
// The real machine, not a played host: systemd itself hands the part over. Needs root, systemd as process 1, and the account
// `student`; the machine of ./lab vm has them.
//
// Example: Login login; const Result run = login.in_scope({"run", "--rm", "-m", "64m", "busybox", "true"});
// Source: systemd-run(1), user@.service(5), systemd's CGROUP_DELEGATION.
#pragma once

#include <string>

#include "container/look.hpp"

namespace drydock::test {

class Login {
 public:
  Login();
  ~Login();
  Login(const Login&) = delete;
  Login& operator=(const Login&) = delete;

  // Empty when this machine has what it takes, else why not.
  static std::string cannot_play();

  // `drydock` with these words, as the user, beside and within the part of the tree that systemd gives.
  Result outside(const Words& words) const { return as_user(drydock(words)); }
  Result in_scope(const Words& words) const;
  // Any command as the user, and one as root, through a shell.
  Result as_user(const Words& argv) const;
  static Result as_root(const std::string& script);
  Words drydock(const Words& words) const;
  // What `drydock inspect` knows, without asking it.
  container::Record record(const std::string& name) const;
  // Files of containers that are still there, and groups of ours in the user's part of the tree.
  Words left() const;

 private:
  std::string home_, state_;
  unsigned uid_ = 0, gid_ = 0;
};

}  // namespace drydock::test

// First line of every test case here.
#define DRYDOCK_NEEDS_LOGIN()                                          \
  do {                                                                 \
    const std::string why_not = ::drydock::test::Login::cannot_play(); \
    if (!why_not.empty()) DRYDOCK_SKIP(why_not);                       \
  } while (false)
