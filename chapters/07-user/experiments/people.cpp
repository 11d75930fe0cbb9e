#include "experiments/people.hpp"

#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <drydock/facts/snapshot.hpp>
#include <drydock/kernel/error.hpp>
#include <drydock/kernel/sys.hpp>
#include <drydock/namespaces/join.hpp>

namespace drydock::chapter::user {

using namespaces::Kind;

namespace {

// A change of ids makes a process undumpable, its files below /proc root's, and it would outlive the chapter: prctl(2).
void set_again_what_a_change_of_ids_clears() {
  raw::call(SYS_prctl, PR_SET_DUMPABLE, 1, 0, 0, 0);
  raw::call(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
}

void become(unsigned id, std::span<const gid_t> groups = {}) {
  raw::call(SYS_setgroups, groups.size(), groups.data());  // refused where the namespace gave it up
  raw::call(SYS_setresgid, id, id, id);
  raw::call(SYS_setresuid, id, id, id);
  set_again_what_a_change_of_ids_clears();
}

// Of a child that has just unshared its user namespace: the chapter writes the maps from outside.
void map(pid_t pid) {
  const std::string directory = "/proc/" + std::to_string(pid) + "/";
  const bool root = sys::geteuid() == 0;
  const std::string range = " " + std::to_string(range_length);
  if (!root) sys::write_file(directory + "setgroups", "deny");
  sys::write_file(directory + "gid_map",
                  root ? "0 " + std::to_string(range_start) + range : "0 " + std::to_string(::getegid()) + " 1");
  sys::write_file(directory + "uid_map",
                  root ? "0 " + std::to_string(range_start) + range : "0 " + std::to_string(sys::geteuid()) + " 1");
}

int live(Talk& chapter, std::uint64_t flags) {
  chapter.say(text(Outcome{raw::call(SYS_unshare, CLONE_NEWUSER)}));
  if (chapter.line() != "mapped") return 1;
  become(0);
  chapter.say(text(Outcome{raw::call(SYS_unshare, flags)}));
  for (;;) ::pause();  // for as long as it is visited; the chapter's end is this one's end
}

void expect_success(const char* call, const std::string& said) {
  if (said != "it succeeds") throw Error::refused(call, said);
}

}  // namespace

void become_ordinary(std::span<const gid_t> groups) {
  if (sys::geteuid() == 0) become(nobody, groups);
}

Need ordinary_users_may() {
  return {"user namespaces for ordinary users", [] {
            Child child(0, [](Talk& chapter) {
              become_ordinary();
              chapter.say(text(Outcome{raw::call(SYS_unshare, CLONE_NEWUSER)}));
              return 0;
            });
            const std::string said = child.talk().line();
            return said == "it succeeds" ? ""
                                         : "an ordinary user may make no user namespace here (" + said +
                                               "); 'drydock doctor' names the setting that forbids it";
          }};
}

Outcome write_once(const std::string& path, const std::string& words) {
  const long fd = raw::call(SYS_openat, AT_FDCWD, path.c_str(), O_WRONLY | O_CLOEXEC);
  if (raw::failed(fd)) return {fd};
  const Fd file(static_cast<int>(fd));
  return {raw::call(SYS_write, file.get(), words.data(), words.size())};
}

std::string map_of(const std::string& path) {
  std::string out;
  for (const char c : sys::read_file(path)) {
    const char plain = c == '\n' ? ',' : c;
    if (plain == ' ' && (out.empty() || out.back() == ' ' || out.back() == ',')) continue;
    out += plain;
  }
  if (!out.empty()) out.pop_back();  // the end of the last line
  return out.empty() ? "(empty)" : out;
}

std::string effective_capabilities(pid_t pid) {
  const std::string words = facts::capability_words(facts::take(pid == 0 ? sys::getpid() : pid).status.capabilities.effective);
  return words.starts_with("all ") && words.find_first_not_of("0123456789", 4) == std::string::npos ? "all" : words;
}

std::string as_root_of(pid_t pid, std::vector<Kind> others, const std::function<std::string()>& look) {
  others.push_back(Kind::user);
  return visit(pid, std::move(others), [&] {
    become(0);
    return look();
  });
}

Resident::Resident(std::uint64_t flags)
    : outside_(sys::geteuid() == 0 ? range_start : sys::geteuid()),
      child_(0, [flags](Talk& chapter) { return live(chapter, flags); }) {
  for (const namespaces::KindInfo& kind : namespaces::all_kinds())
    if ((flags & kind.flag) != 0) others_.push_back(kind.kind);
  expect_success("unshare(CLONE_NEWUSER)", child_.talk().line());
  map(child_.pid());
  child_.talk().say("mapped");
  expect_success("unshare", child_.talk().line());
}

std::string Resident::run(const std::function<std::string()>& look) const {
  return as_root_of(pid(), others_, look);
}

Child Resident::guest(const Body& body) const {
  const Fd target = sys::pidfd_open(pid());
  return Child(0, [&](Talk& chapter) {
    raw::call(SYS_setns, target.get(), CLONE_NEWUSER | namespaces::flags_of(others_));
    become(0);
    return body(chapter);
  });
}

Outcome Resident::call(const std::function<long()>& system_call) const {
  return {std::stol(run([&] { return std::to_string(system_call()); }))};
}

}  // namespace drydock::chapter::user
