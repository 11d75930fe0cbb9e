#include "shared/child.hpp"

#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <utility>

#include <drydock/kernel/error.hpp>
#include <drydock/kernel/raw.hpp>
#include <drydock/kernel/symbols.hpp>
#include <drydock/kernel/sys.hpp>
#include <drydock/namespaces/join.hpp>
#include <drydock/process/wait.hpp>

#include "shared/patience.hpp"

namespace drydock::chapter {

namespace {

constexpr int exit_exception = 70;

struct Ids {
  unsigned user, group;
};

// The one map that everybody may write: whoever made the namespace is root in it. Without it the process has no id inside and
// may make neither a file nor a further user namespace.
void become_root_inside(Ids outside) {
  sys::write_file("/proc/self/setgroups", "deny");
  sys::write_file("/proc/self/uid_map", "0 " + std::to_string(outside.user) + " 1");
  sys::write_file("/proc/self/gid_map", "0 " + std::to_string(outside.group) + " 1");
}

// Nobody is left behind, not even when the parent was killed before this call: then the signal never comes. A parent in another
// pid namespace is 0, alive or not.
void die_with_parent(pid_t parent) {
  raw::call(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  if (const long now = raw::call(SYS_getppid); now != 0 && now != parent) ::_exit(exit_exception);
}

[[noreturn]] void run(std::uint64_t flags, pid_t parent, Ids outside, const Body& body, Talk talk) {
  int status = exit_exception;
  try {
    die_with_parent(parent);
    if ((flags & CLONE_NEWUSER) != 0) become_root_inside(outside);
    status = body(talk);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
  }
  ::_exit(status);  // no destructors of the parent's objects, no second flush of its buffers
}

}  // namespace

long Child::start(std::uint64_t flags, const Body& body, std::optional<Child>& made) {
  auto [ours, theirs] = talk_pair();
  int pidfd = -1;
  clone_args args{};
  args.flags = flags | CLONE_PIDFD;
  args.pidfd = reinterpret_cast<std::uint64_t>(&pidfd);
  args.exit_signal = SIGCHLD;
  const Ids outside{sys::geteuid(), ::getegid()};
  const pid_t parent = sys::getpid();
  const long pid = raw::call(SYS_clone3, &args, sizeof args);
  if (pid == 0) {
    raw::call(SYS_close_range, first_parent_end, ~0U, 0);  // who keeps a copy of a pipe's end keeps its reader waiting
    run(flags, parent, outside, body, std::move(theirs));
  }
  if (raw::failed(pid)) return pid;
  Child child;
  child.pid_ = static_cast<pid_t>(pid);
  child.pidfd_ = Fd(pidfd);
  child.talk_ = std::move(ours);
  made.emplace(std::move(child));
  return pid;
}

namespace {

Child started(std::uint64_t flags, const Body& body) {
  std::optional<Child> made;
  const long result = Child::start(flags, body, made);
  if (raw::failed(result)) throw Error::from_errno("clone3", symbols::clone_flags(flags), raw::error_of(result));
  return std::move(*made);
}

}  // namespace

Child::Child(std::uint64_t flags, const Body& body) : Child(started(flags, body)) {}

Child::Child(Child&& other) noexcept
    : pid_(std::exchange(other.pid_, 0)), pidfd_(std::move(other.pidfd_)), talk_(std::move(other.talk_)) {}

Child::~Child() {
  if (pid_ <= 0) return;
  raw::call(SYS_pidfd_send_signal, pidfd_.get(), SIGKILL, nullptr, 0);
  while (raw::call(SYS_wait4, pid_, nullptr, __WALL, nullptr) == -EINTR) {
  }
}

void Child::signal(int number) {
  sys::pidfd_send_signal(pidfd_, number);
}

bool Child::ends_within(int timeout_ms) const {
  return process::wait_ended(pidfd_, timeout_ms);
}

process::ExitStatus Child::wait() {
  const auto status = process::wait_child(pidfd_, patience_ms());
  if (!status)
    throw Error::refused("process " + std::to_string(pid_), "it did not end within ten seconds",
                         "this is a defect of the chapter");
  pid_ = 0;
  return *status;
}

namespace {

std::string answer_of(Child& child) {
  std::string said = child.talk().rest();
  child.wait();
  if (said.ends_with('\n')) said.pop_back();
  if (said.starts_with("!")) throw Error::refused("visit", said.substr(1));
  return said.empty() ? said : said.substr(1);
}

int report(Talk& talk, const std::function<std::string()>& look) {
  try {
    const std::string seen = look();
    talk.say("=" + seen);
  } catch (const std::exception& error) {
    talk.say(std::string("!") + error.what());
  }
  return 0;
}

int refuse(Talk& talk, const char* call, const std::string& arguments, long result) {
  talk.say("!" + std::string(Error::from_errno(call, arguments, raw::error_of(result)).what()));
  return 1;
}

// Joins by `enter`, and looks; in a joined pid namespace only a child is inside.
std::string visit_by(const std::function<long()>& enter, std::uint64_t flags, const std::function<std::string()>& look) {
  Child child(0, [&](Talk& talk) {
    if (const long joined = enter(); raw::failed(joined)) return refuse(talk, "setns", symbols::clone_flags(flags), joined);
    if ((flags & CLONE_NEWPID) == 0) return report(talk, look);
    std::optional<Child> inner;
    const long made = Child::start(
        0, [&](Talk&) { return report(talk, look); }, inner);
    if (raw::failed(made)) return refuse(talk, "clone3", "in the joined pid namespace", made);
    return inner->wait().code();
  });
  return answer_of(child);
}

bool has_own_user_namespace(pid_t pid) {
  return namespaces::id_of(pid, namespaces::Kind::user) != namespaces::id_of(0, namespaces::Kind::user);
}

}  // namespace

std::uint64_t for_this_user(std::uint64_t flags) {
  return sys::geteuid() == 0 ? flags : flags | CLONE_NEWUSER;
}

std::string visit(pid_t pid, std::vector<namespaces::Kind> kinds, const std::function<std::string()>& look) {
  if (!has_own_user_namespace(pid)) std::erase(kinds, namespaces::Kind::user);
  const Fd target = sys::pidfd_open(pid);
  const std::uint64_t flags = namespaces::flags_of(kinds);
  return visit_by([&] { return flags == 0 ? 0 : raw::call(SYS_setns, target.get(), flags); }, flags, look);
}

Held::Held(pid_t pid, namespaces::Kind kind) : file_(sys::open(namespaces::path_of(pid, kind), O_RDONLY)), kind_(kind) {
  if (has_own_user_namespace(pid)) user_ = sys::open(namespaces::path_of(pid, namespaces::Kind::user), O_RDONLY);
}

long Held::enter() const {
  if (user_)
    if (const long joined = raw::call(SYS_setns, user_.get(), CLONE_NEWUSER); raw::failed(joined)) return joined;
  return raw::call(SYS_setns, file_.get(), namespaces::info(kind_).flag);
}

std::string Held::visit(const std::function<std::string()>& look) const {
  return visit_by([this] { return enter(); }, namespaces::info(kind_).flag, look);
}

}  // namespace drydock::chapter
