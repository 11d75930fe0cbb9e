#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <stdexcept>

#include <drydock/facts/report.hpp>
#include <drydock/kernel/error.hpp>
#include <drydock/kernel/sys.hpp>

#include "support/forked.hpp"
#include "support/needs.hpp"

using namespace drydock;

namespace {

// A child that does `setup`, says so, and stands still until it is killed at the end of the test.
class Child {
 public:
  template <typename Setup>
  explicit Child(Setup setup) {
    int ready[2];
    if (::pipe2(ready, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
    const Fd from(ready[0]);
    Fd to(ready[1]);
    pid_ = test::forked();
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (!setup()) ::_exit(1);
      [[maybe_unused]] const auto said = ::write(to.get(), "", 1);
      for (;;) ::pause();
    }
    to.reset();
    char byte;
    [[maybe_unused]] const auto count = ::read(from.get(), &byte, 1);  // a byte, or the end because the child is dead
  }
  ~Child() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  pid_t pid() const { return pid_; }
  bool alive() const {
    siginfo_t info = {};
    return ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == 0;
  }

 private:
  pid_t pid_ = -1;
};

bool unshared() {
  return ::unshare(CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWNS | CLONE_NEWIPC) == 0 &&
         ::mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) == 0 &&
         ::mount("drydock-facts", "/mnt", "tmpfs", MS_NOEXEC, "size=64k") == 0 && ::sethostname("drydock-inner", 13) == 0 &&
         ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

const facts::Change* change(const facts::Diff& diff, const std::string& group, const std::string& name) {
  for (const facts::Change& entry : diff.changes)
    if (entry.group == group && entry.name == name) return &entry;
  return nullptr;
}

}  // namespace

TEST_CASE("a process in namespaces of its own, seen from outside", "[facts][N1-150][N0-083][N0-089]") {
  if (sys::geteuid() != 0) DRYDOCK_SKIP("unshare needs root; run with sudo");
  const Child child(unshared);
  REQUIRE(child.alive());
  const facts::Snapshot ours = facts::take(sys::getpid());
  const facts::Snapshot theirs = facts::take(child.pid());
  for (const char* kind : {"net", "uts", "mnt", "ipc"}) CHECK(ours.namespaces.at(kind) != theirs.namespaces.at(kind));
  for (const char* kind : {"pid", "user"}) CHECK(ours.namespaces.at(kind) == theirs.namespaces.at(kind));

  // Its network is seen without joining it: a new namespace has lo only, down and without address.
  REQUIRE(theirs.links.size() >= 1);
  CHECK(std::none_of(theirs.links.begin(), theirs.links.end(), [](const facts::Link& l) { return l.name.starts_with("eth"); }));
  CHECK(theirs.addresses.empty());
  CHECK(theirs.routes.empty());

  const auto mount =
      std::find_if(theirs.mounts.begin(), theirs.mounts.end(), [](const facts::Mount& m) { return m.source == "drydock-facts"; });
  REQUIRE(mount != theirs.mounts.end());
  CHECK(mount->target == "/mnt");
  CHECK(mount->type == "tmpfs");
  CHECK(mount->options.find("noexec") != std::string::npos);
  CHECK(std::none_of(ours.mounts.begin(), ours.mounts.end(), [](const facts::Mount& m) { return m.source == "drydock-facts"; }));

  // The name of another UTS namespace is not told, and that is said.
  CHECK_FALSE(theirs.hostname.has_value());
  CHECK(std::any_of(theirs.notes.begin(), theirs.notes.end(), [](const facts::Note& n) { return n.fact == "hostname"; }));
  CHECK(ours.hostname.has_value());

  const facts::Diff diff = facts::diff(ours, theirs);
  REQUIRE(change(diff, "namespaces", "net") != nullptr);
  CHECK(change(diff, "namespaces", "net")->b == std::to_string(theirs.namespaces.at("net")));
  CHECK(change(diff, "namespaces", "user") == nullptr);
  REQUIRE(change(diff, "security", "no_new_privs") != nullptr);
  CHECK(change(diff, "security", "no_new_privs")->b == "yes");
}

TEST_CASE("one process has a pid in each namespace that holds it", "[facts][N1-188]") {
  if (sys::geteuid() != 0) DRYDOCK_SKIP("a pid namespace needs root; run with sudo");
  // The child of a process that unshared its pid namespace is pid 1 there.
  int report[2];
  REQUIRE(::pipe2(report, O_CLOEXEC) == 0);
  const Fd from(report[0]);
  Fd to(report[1]);
  const Child outer([&] {
    if (::unshare(CLONE_NEWPID) != 0) return false;
    const pid_t inner = ::fork();
    if (inner < 0) return false;
    if (inner == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      for (;;) ::pause();
    }
    return ::write(to.get(), &inner, sizeof inner) == sizeof inner;
  });
  to.reset();  // so that the end of a child without a word is an end for us too
  pid_t inner = 0;
  REQUIRE(::read(from.get(), &inner, sizeof inner) == sizeof inner);
  const facts::Snapshot snapshot = facts::take(inner);
  CHECK(snapshot.status.ns_pids == std::vector<pid_t>{inner, 1});
  CHECK(snapshot.namespaces.at("pid") != facts::take(sys::getpid()).namespaces.at("pid"));
}

TEST_CASE("a user namespace shows its map, and ids as seen from here", "[facts][N0-091]") {
  const Child child([] { return ::unshare(CLONE_NEWUSER) == 0; });
  if (!child.alive()) DRYDOCK_SKIP("no user namespace can be made; see /proc/sys/user/max_user_namespaces");
  CHECK(facts::take(child.pid()).uid_map.empty());
  sys::write_file("/proc/" + std::to_string(child.pid()) + "/setgroups", "deny");
  sys::write_file("/proc/" + std::to_string(child.pid()) + "/uid_map", "7 " + std::to_string(sys::geteuid()) + " 1");
  const facts::Snapshot snapshot = facts::take(child.pid());
  REQUIRE(snapshot.uid_map.size() == 1);
  CHECK(snapshot.uid_map[0].inside == 7);
  CHECK(snapshot.uid_map[0].outside == sys::geteuid());
  CHECK(snapshot.uid_map[0].count == 1);
  CHECK(snapshot.setgroups == "deny");
  CHECK(snapshot.status.uids[0] == sys::geteuid());
}

TEST_CASE("what may not be read has a note, and the rest is there", "[facts]") {
  if (sys::geteuid() != 0) DRYDOCK_SKIP("the test becomes another user; run with sudo");
  const Child target([] { return true; });
  int report[2];
  REQUIRE(::pipe2(report, O_CLOEXEC) == 0);
  const Fd from(report[0]);
  Fd to(report[1]);
  const pid_t reader = test::forked();
  if (reader == 0) {
    if (::setresgid(65534, 65534, 65534) != 0 || ::setresuid(65534, 65534, 65534) != 0) ::_exit(1);
    const facts::Snapshot snapshot = facts::take(target.pid());
    std::string text;
    for (const facts::Note& note : snapshot.notes) text += note.fact + ": " + note.why + "\n";
    text += "parent " + std::to_string(snapshot.status.parent) + "\n";
    sys::write_all(to, text);
    ::_exit(0);
  }
  to.reset();
  const std::string text = sys::read_all(from);
  int status = -1;
  ::waitpid(reader, &status, 0);
  CHECK(status == 0);
  for (const char* fact : {"namespaces: ", "executable: ", "root: ", "descriptors: "})
    CHECK(text.find(fact) != std::string::npos);
  CHECK(text.find("sudo") != std::string::npos);
  CHECK(text.find("parent " + std::to_string(sys::getpid())) != std::string::npos);
}

TEST_CASE("a zombie and a kernel thread are told as such", "[facts]") {
  const pid_t zombie = test::forked();
  if (zombie == 0) ::_exit(0);
  siginfo_t info;
  REQUIRE(::waitid(P_PID, static_cast<id_t>(zombie), &info, WEXITED | WNOWAIT) == 0);
  const facts::Snapshot snapshot = facts::take(zombie);
  CHECK(snapshot.status.state.starts_with('Z'));
  CHECK(std::any_of(snapshot.notes.begin(), snapshot.notes.end(),
                    [](const facts::Note& n) { return n.why.find("zombie") != std::string::npos; }));
  ::waitpid(zombie, nullptr, 0);
  CHECK_THROWS_AS(facts::take(zombie), Error);
  if (sys::geteuid() != 0 || !sys::exists("/proc/2")) return;
  if (sys::read_file("/proc/2/comm") != "kthreadd\n") return;  // inside a pid namespace 2 is somebody else
  const facts::Snapshot thread = facts::take(2);
  CHECK(thread.executable.empty());
  CHECK(std::any_of(thread.notes.begin(), thread.notes.end(),
                    [](const facts::Note& n) { return n.why.find("kernel thread") != std::string::npos; }));
}
