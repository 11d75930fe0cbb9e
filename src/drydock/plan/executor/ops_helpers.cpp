// Programs of the host that a plan makes work for it: newuidmap and newgidmap for a moment, a carrier of packets for as long as
// the container lives.
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <drydock/kernel/raw.hpp>
#include <drydock/plan/executor/ops.hpp>
#include <drydock/plan/executor/text.hpp>

namespace drydock::plan::executor {

namespace {

constexpr int max_words = 64;
constexpr int not_executed = 127;

[[noreturn]] void leave(int status) {
  for (;;) raw::call(SYS_exit_group, status);
}

// The argument vector `program pid words...`. One at a time: it is filled and executed at once.
struct Words {
  const char* argv[max_words];
  char pid[16];
  Words(const char* program, long process, const char* block, std::size_t length) {
    argv[0] = program;
    argv[1] = Line(pid, sizeof pid).put_number(process).c_str();
    split(block, length, argv + 2, max_words - 2);
  }
  [[noreturn]] void execute() const {
    const char* none[] = {nullptr};
    raw::call(SYS_execve, argv[0], argv, none);
    leave(not_executed);
  }
};

long wait_status(long pid, int& status) {
  long waited;
  do waited = raw::call(SYS_wait4, pid, &status, __WALL, nullptr);
  while (waited == -EINTR);
  return waited;
}

long map_ids(const char* program, long pid, const char* block, std::size_t length) {
  const Words words(program, pid, block, length);
  clone_args args{};
  args.flags = CLONE_VFORK;
  args.exit_signal = SIGCHLD;
  const long child = raw::call(SYS_clone3, &args, sizeof args);
  if (raw::failed(child)) return child;
  if (child == 0) words.execute();
  int status = 0;
  if (const long waited = wait_status(child, status); raw::failed(waited)) return waited;
  if (WIFEXITED(status) && WEXITSTATUS(status) == not_executed) return -ENOENT;
  return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EPERM;
}

}  // namespace

long op_run_id_mapper(const Context& context, const wire::WireCall& call) {
  return map_ids(text(context, call, 0), number(context, call, 1), text(context, call, 2), text_length(context, call, 2));
}

namespace {

// Child: waits until its ids are mapped, becomes root of its namespace and removes. Its exit status is the errno.
[[noreturn]] void remove_as_root(int go, const char* path) {
  raw::call(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  char word = 0;
  if (raw::call(SYS_read, go, &word, 1) != 1) leave(ECANCELED);
  long result = raw::call(SYS_setresgid, 0, 0, 0);
  if (!raw::failed(result)) result = raw::call(SYS_setresuid, 0, 0, 0);
  if (!raw::failed(result)) result = op_remove_tree(path);
  leave(raw::failed(result) ? raw::error_of(result) : 0);
}

}  // namespace

long op_remove_tree_mapped(const Context& context, const wire::WireCall& call) {
  const char* path = text(context, call, 0);
  const long own = op_remove_tree(path);
  if (own != -EACCES && own != -EPERM) return own;  // nothing there belongs to others: the usual case, and a fast one
  int go[2];
  if (const long result = raw::call(SYS_pipe2, go, O_CLOEXEC); raw::failed(result)) return result;
  clone_args args{};
  args.flags = CLONE_NEWUSER;
  args.exit_signal = SIGCHLD;
  const long child = raw::call(SYS_clone3, &args, sizeof args);
  if (child == 0) {
    raw::call(SYS_close, go[1]);
    remove_as_root(go[0], path);
  }
  raw::call(SYS_close, go[0]);
  long result = raw::failed(child) ? child : 0;
  if (!raw::failed(result)) result = map_ids("/usr/bin/newgidmap", child, text(context, call, 2), text_length(context, call, 2));
  if (!raw::failed(result)) result = map_ids("/usr/bin/newuidmap", child, text(context, call, 1), text_length(context, call, 1));
  if (!raw::failed(result)) raw::call(SYS_write, go[1], "g", 1);
  raw::call(SYS_close, go[1]);
  if (raw::failed(child)) return child;
  int status = 0;
  if (const long waited = wait_status(child, status); raw::failed(waited)) return waited;
  if (raw::failed(result)) return -EPERM;  // also for a missing program: ENOENT would say that the tree is gone
  return WIFEXITED(status) ? -WEXITSTATUS(status) : -EINTR;
}

namespace {

// What passes between the monitor and a helper. `exit_write` stays open until the monitor ends, however it ends.
struct Channels {
  int ready_read = -1, ready_write = -1, exit_read = -1, exit_write = -1, words = -1;

  long open() {
    int ready[2], exit[2];
    if (const long result = raw::call(SYS_pipe2, ready, O_CLOEXEC); raw::failed(result)) return result;
    ready_read = ready[0], ready_write = ready[1];
    if (const long result = raw::call(SYS_pipe2, exit, O_CLOEXEC); raw::failed(result)) return result;
    exit_read = exit[0], exit_write = exit[1];
    const long memory = raw::call(SYS_memfd_create, "drydock-helper", MFD_CLOEXEC);
    words = raw::failed(memory) ? -1 : static_cast<int>(memory);
    return raw::failed(memory) ? memory : 0;
  }
  void close(bool with_exit) const {
    for (const int fd : {ready_read, ready_write, exit_read, words, with_exit ? exit_write : -1})
      if (fd >= 0) raw::call(SYS_close, fd);
  }
};

[[noreturn]] void become_helper(const Channels& channels, const Words& words) {
  raw::call(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  const long null = raw::call(SYS_openat, AT_FDCWD, "/dev/null", O_RDWR | O_CLOEXEC);
  const long wanted[] = {null, null, channels.words, channels.ready_write, channels.exit_read};
  long moved[5];
  // Out of the way of the numbers first: one of them may be where another has to go.
  for (int index = 0; index < 5; ++index) moved[index] = raw::call(SYS_fcntl, wanted[index], F_DUPFD, 16);
  for (int index = 0; index < 5; ++index) raw::call(SYS_dup3, moved[index], index, 0);
  raw::call(SYS_close_range, helper_exit_fd + 1, ~0U, 0);
  raw::call(SYS_umask, 022);
  reset_signals();
  words.execute();
}

// The last line that a helper wrote to its standard error is its reason.
void read_last_line(Context& context, int words) {
  char buffer[4096];
  const long size = raw::call(SYS_pread64, words, buffer, sizeof buffer - 1, 0);
  if (size <= 0) return;
  long end = size;
  while (end > 0 && buffer[end - 1] == '\n') --end;
  long begin = end;
  while (begin > 0 && buffer[begin - 1] != '\n') --begin;
  buffer[end] = '\0';
  copy_text(context.detail, sizeof context.detail, buffer + begin);
}

// 0 when the helper says that it is ready.
long helper_ready(Context& context, const Channels& channels, long pid) {
  char byte = 0;
  const bool caller = lane_speaks(context, channels.ready_read);
  if (caller && raw::call(SYS_read, channels.ready_read, &byte, 1) > 0) return 0;
  raw::call(SYS_kill, pid, SIGKILL);
  int status = 0;
  wait_status(pid, status);
  if (!caller) return -ECANCELED;
  if (WIFEXITED(status) && WEXITSTATUS(status) == not_executed) return -ENOENT;
  read_last_line(context, channels.words);
  return -EIO;
}

}  // namespace

long op_start_helper(Context& context, const wire::WireCall& call, long* second) {
  Channels channels;
  long result = channels.open();
  if (raw::failed(result)) {
    channels.close(true);
    return result;
  }
  const Words words(text(context, call, 0), number(context, call, 1), text(context, call, 2), text_length(context, call, 2));
  int pidfd = -1;
  clone_args args{};
  args.flags = CLONE_PIDFD;
  args.pidfd = reinterpret_cast<std::uint64_t>(&pidfd);
  args.exit_signal = SIGCHLD;
  const long pid = raw::call(SYS_clone3, &args, sizeof args);
  if (pid == 0) become_helper(channels, words);
  raw::call(SYS_close, channels.ready_write);
  channels.ready_write = -1;
  result = raw::failed(pid) ? pid : helper_ready(context, channels, pid);
  channels.close(raw::failed(result));
  if (raw::failed(result)) {
    if (pidfd >= 0) raw::call(SYS_close, pidfd);
    return result;
  }
  *second = pidfd;
  return pid;
}

}  // namespace drydock::plan::executor
