// A child process that runs a function: clone3(2) with the flags of an experiment, or a visit to namespaces that exist.
//
// For what a launch plan does not host: raw clone flags, and a look from inside. A chapter is a program with one thread, so its
// child may go on with C++ after clone3; a library must not do that (docs/architecture.md, "Who executes the plan").
// With CLONE_VM the child would run on our stack: chapter 01 has its own way of doing that.
//
// Example: Child child(CLONE_NEWUTS, [](Talk& chapter) { chapter.say("ready"); chapter.line(); return 0; });
//          child.talk().line(); ... child.talk().close(); child.wait();
//          std::string name = visit(child.pid(), {Kind::uts}, hostname);
// Source: clone(2), setns(2), pidfd_open(2).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <drydock/kernel/fd.hpp>
#include <drydock/namespaces/kinds.hpp>
#include <drydock/process/exit_status.hpp>

#include "shared/talk.hpp"

namespace drydock::chapter {

// What runs in the child; its result is the exit status. Exceptions end it with status 70 and their text on standard error.
using Body = std::function<int(Talk& chapter)>;

class Child {
 public:
  // Errors: Error of clone3(2) with its flags by name; start() gives the bare result instead.
  // With CLONE_NEWUSER the child first makes itself root of the new user namespace: "0 <our uid> 1".
  Child(std::uint64_t flags, const Body& body);
  ~Child();  // kills it if it lives, and reaps it
  Child(Child&& other) noexcept;
  Child& operator=(Child&&) = delete;

  // The pid, or -errno: for experiments in which clone3 must fail.
  static long start(std::uint64_t flags, const Body& body, std::optional<Child>& made);

  pid_t pid() const { return pid_; }
  const Fd& pidfd() const { return pidfd_; }
  Talk& talk() { return talk_; }
  void signal(int number);
  // Reaps it. Throws Error when it does not end within ten seconds.
  process::ExitStatus wait();
  // True when it ends within `timeout_ms`; it is not reaped.
  bool ends_within(int timeout_ms) const;

 private:
  Child() = default;
  pid_t pid_ = 0;
  Fd pidfd_;
  Talk talk_;
};

// `flags` for this user: root makes a namespace of any kind as it is, for others a user namespace comes first.
std::uint64_t for_this_user(std::uint64_t flags);

// Runs `look` in a process that has joined these namespaces of `pid`, and gives back what it returned. With pid among the kinds,
// a child of that process runs it, since joining a pid namespace holds for children only. `user` is passed over where `pid` is in
// the caller's own: the kernel refuses to join that once more. Throws Error as setns(2) does; what `look` throws arrives as an
// Error.
std::string visit(pid_t pid, std::vector<namespaces::Kind> kinds, const std::function<std::string()>& look);

// A namespace that is kept by a descriptor, together with the user namespace of the process that it was taken from.
class Held {
 public:
  Held(pid_t pid, namespaces::Kind kind);
  // A pinned file.
  Held(Fd file, namespaces::Kind kind) : file_(std::move(file)), kind_(kind) {}

  const Fd& file() const { return file_; }
  // setns(2) of the caller; 0 or -errno.
  long enter() const;
  // As visit() above.
  std::string visit(const std::function<std::string()>& look) const;

 private:
  Fd user_, file_;
  namespaces::Kind kind_;
};

}  // namespace drydock::chapter
