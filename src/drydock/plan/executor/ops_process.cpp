#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <drydock/kernel/raw.hpp>
#include <drydock/plan/executor/init.hpp>
#include <drydock/plan/executor/ops.hpp>
#include <drydock/plan/executor/packets.hpp>
#include <drydock/plan/executor/text.hpp>

namespace drydock::plan::executor {

namespace {

[[noreturn]] void leave(int status) {
  for (;;) raw::call(SYS_exit_group, status);
}

// The child of a clone goes on with its own lane and never returns to the caller's code.
[[noreturn]] void child_lane(Context& context, int lane, int socket) {
  if (context.control >= 0) raw::call(SYS_close, context.control);
  context.control = -1;
  for (int& other : context.lanes) {
    if (other >= 0 && other != socket) raw::call(SYS_close, other);
    other = -1;
  }
  context.to_monitor = socket;
  // A monitor that was killed before the first line above sends no signal any more.
  if (raw::failed(op_die_with_parent(context))) leave(125);
  leave(raw::failed(run_lane(context, lane)) ? 125 : 0);
}

long clone_into_lane(Context& context, std::uint64_t flags, long cgroup, int lane, long* second) {
  int pair[2] = {-1, -1};
  const bool from_joiner = (flags & CLONE_PARENT) != 0;
  if (!from_joiner) {
    const long result = raw::call(SYS_socketpair, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair);
    if (raw::failed(result)) return result;
  }
  int pidfd = -1;
  clone_args args{};
  args.flags = flags | CLONE_PIDFD;
  args.pidfd = reinterpret_cast<std::uint64_t>(&pidfd);
  args.exit_signal = from_joiner ? 0 : SIGCHLD;  // with CLONE_PARENT the kernel takes the parent's own
  if (cgroup >= 0) {
    args.flags |= CLONE_INTO_CGROUP;
    args.cgroup = static_cast<std::uint64_t>(cgroup);
  }
  const long pid = raw::call(SYS_clone3, &args, sizeof args);
  if (pid == 0) {
    if (!from_joiner) raw::call(SYS_close, pair[0]);
    child_lane(context, lane, from_joiner ? context.to_monitor : pair[1]);
  }
  if (pair[1] >= 0) raw::call(SYS_close, pair[1]);
  if (raw::failed(pid)) {
    if (pair[0] >= 0) raw::call(SYS_close, pair[0]);
    return pid;
  }
  if (!from_joiner) context.lanes[lane] = pair[0];
  *second = pidfd;
  return pid;
}

}  // namespace

long op_clone3(Context& context, const wire::WireCall& call, long* second) {
  return clone_into_lane(context, static_cast<std::uint64_t>(number(context, call, 0)), number(context, call, 1),
                         static_cast<int>(number(context, call, 2)), second);
}

long op_fork_lane(Context& context, const wire::WireCall& call, long* second) {
  return clone_into_lane(context, 0, -1, static_cast<int>(number(context, call, 0)), second);
}

// pid 1 stays behind as reaper; its only child goes on with the lane. By clone, because the system call filter is loaded by
// now and knows no clone3.
long op_init_fork() {
  const long pid = raw::call(SYS_clone, SIGCHLD, 0, 0, 0, 0);
  if (raw::failed(pid)) return pid;
  if (pid > 0) leave(init_loop(static_cast<int>(pid)));
  return 0;
}

namespace {

long write_map(long pid, const char* name, const char* map, std::size_t size) {
  char path[64];
  Line(path, sizeof path).put("/proc/").put_number(pid).put("/").put(name);
  return write_small_file(AT_FDCWD, path, map, size);
}

// A change of ids made this process unreadable for itself, and its child's maps would belong to the host's root. Readable it is for
// the moment in which there is no child but ours, and nothing of the program's yet.
long map_child(const Context& context, const wire::WireCall& call, long pid) {
  long result = write_map(pid, "gid_map", text(context, call, 2), text_length(context, call, 2));
  if (!raw::failed(result)) result = write_map(pid, "uid_map", text(context, call, 1), text_length(context, call, 1));
  raw::call(SYS_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
  return result;
}

}  // namespace

long op_init_clone(const Context& context, const wire::WireCall& call) {
  int gate[2];
  if (const long result = raw::call(SYS_pipe2, gate, O_CLOEXEC); raw::failed(result)) return result;
  raw::call(SYS_prctl, PR_SET_DUMPABLE, 1, 0, 0, 0);
  const long pid = raw::call(SYS_clone, number(context, call, 0) | SIGCHLD, 0, 0, 0, 0);
  if (pid == 0) {
    char word = 0;
    raw::call(SYS_close, gate[1]);
    if (raw::call(SYS_read, gate[0], &word, 1) != 1) leave(125);
    raw::call(SYS_close, gate[0]);
    return 0;
  }
  if (raw::failed(pid)) return pid;
  if (const long result = map_child(context, call, pid); raw::failed(result)) {
    raw::call(SYS_kill, pid, SIGKILL);
    raw::call(SYS_wait4, pid, nullptr, 0, nullptr);
    return result;
  }
  raw::call(SYS_write, gate[1], "", 1);
  leave(init_loop(static_cast<int>(pid)));
}

long op_pidfd_open_checked(Context& context, const wire::WireCall& call) {
  const int pid = static_cast<int>(number(context, call, 0));
  const long fd = raw::call(SYS_pidfd_open, pid, 0);
  if (raw::failed(fd)) return fd;
  // The descriptor holds the process now; if the start time still matches, it is the one that was meant.
  if (start_time(pid) == static_cast<std::uint64_t>(number(context, call, 1))) return fd;
  raw::call(SYS_close, fd);
  return -ESRCH;
}

long op_die_with_parent(Context& context) {
  const long result = raw::call(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  if (raw::failed(result)) return result;
  // The monitor may have died before the line above: then its end of the socket is closed.
  pollfd event{context.to_monitor, 0, 0};
  const timespec now{0, 0};
  raw::call(SYS_ppoll, &event, 1, &now, nullptr, 0);
  return (event.revents & (POLLHUP | POLLERR)) != 0 ? -ESRCH : 0;
}

long op_wait_go(Context& context) {
  for (;;) {
    wire::Packet packet;
    const long size = receive_packet(context.control, packet, true);
    if (size <= 0) return -ECANCELED;
    if (packet.word == wire::Word::go) return 0;
  }
}

int split(const char* block, std::size_t length, const char** out, int capacity) {
  int count = 0;
  for (std::size_t at = 0; at < length && count < capacity - 1; at += strlen(block + at) + 1) out[count++] = block + at;
  out[count] = nullptr;
  return count;
}

namespace {

constexpr int max_strings = 4096;

bool starts_with(const char* text, const char* prefix) {
  return strncmp(text, prefix, strlen(prefix)) == 0;
}

// execvp(3), with the container's PATH instead of ours, and without its fallback to a shell.
long exec_search(const char* program, const char* path, const char* const* argv, const char* const* env) {
  if (program[0] == '\0') return -ENOENT;
  if (strchr(program, '/') != nullptr) return raw::call(SYS_execve, program, argv, env);
  long verdict = -ENOENT;
  for (const char* begin = path; begin != nullptr;) {
    const char* end = strchrnul(begin, ':');
    char candidate[4096];
    Line line(candidate, sizeof candidate);
    if (end == begin) line.put(".");
    line.put(begin, static_cast<std::size_t>(end - begin)).put("/").put(program);
    if (!line.overflowed()) {
      const long result = raw::call(SYS_execve, candidate, argv, env);
      if (result == -EACCES) verdict = -EACCES;
      else if (result != -ENOENT && result != -ENOTDIR) return result;
    }
    begin = *end == ':' ? end + 1 : nullptr;
  }
  return verdict;
}

}  // namespace

void reset_signals() {
  struct {
    void* handler;
    unsigned long flags;
    void* restorer;
    unsigned long mask;
  } standard{};
  for (int number = 1; number < NSIG; ++number) raw::call(SYS_rt_sigaction, number, &standard, nullptr, 8);
  const std::uint64_t none = 0;
  raw::call(SYS_rt_sigprocmask, SIG_SETMASK, &none, nullptr, sizeof none);
}

long op_exec(Context& context, const wire::WireCall& call) {
  static const char* argv[max_strings];
  static const char* env[max_strings];
  static char home[300];
  split(text(context, call, 0), text_length(context, call, 0), argv, max_strings);
  int count = split(text(context, call, 1), text_length(context, call, 1), env, max_strings - 1);
  if (argv[0] == nullptr) return -ENOENT;
  const char* path = text(context, call, 2);
  bool has_home = false;
  for (int index = 0; index < count; ++index) has_home = has_home || starts_with(env[index], "HOME=");
  if (!has_home) {
    Line(home, sizeof home).put("HOME=").put(context.user.home);
    env[count++] = home;
    env[count] = nullptr;
  }
  reset_signals();
  raw::call(SYS_umask, 022);
  // A lane of ours that leaked a descriptor would hand the host to the container (CVE-2024-21626).
  raw::call(SYS_close_range, 3, ~0U, 4 /* CLOSE_RANGE_CLOEXEC */);
  return exec_search(argv[0], path, argv, env);
}

}  // namespace drydock::plan::executor
