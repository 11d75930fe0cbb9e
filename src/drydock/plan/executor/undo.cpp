// Undo: backwards through the records, and only what they say was made.
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <drydock/kernel/raw.hpp>
#include <drydock/plan/executor/context.hpp>
#include <drydock/plan/executor/text.hpp>

namespace drydock::plan::executor {

namespace {

// A name that the user chose may be another container's: the link says whose it is.
bool points_where_we_said(const Context& context, const wire::WireCall& call) {
  char target[256];
  const long size = raw::call(SYS_readlinkat, AT_FDCWD, text(context, call, 2), target, sizeof target);
  return !raw::failed(size) && equal(target, static_cast<std::size_t>(size), text(context, call, 0));
}

// Somebody else's object of the same name is not ours to remove. Identity 0: the process died between intent and done, and the
// name (which holds the container's id, 64 random bits) is all there is.
bool still_ours(const Context& context, const wire::WireStep& step, const wire::Record& record) {
  if (record.identity == 0) return static_cast<Op>(step.action.op) != Op::symlinkat || points_where_we_said(context, step.action);
  struct stat status;
  switch (static_cast<Op>(step.action.op)) {
    case Op::mkdir:
    case Op::create_file:
      return ::lstat(text(context, step.action, 0), &status) == 0 && status.st_ino == record.identity;
    case Op::symlinkat:
      return ::lstat(text(context, step.action, 2), &status) == 0 && status.st_ino == record.identity;
    case Op::linkat:
      return ::lstat(text(context, step.action, 1), &status) == 0 && status.st_ino == record.identity;
    default:
      return true;
  }
}

// The step that gave the ledger its name: the one linkat without a descriptor of its own.
bool is_ledger(const wire::WireStep& step) {
  return static_cast<Op>(step.action.op) == Op::linkat && static_cast<Op>(step.undo.op) == Op::unlink;
}

}  // namespace

bool undo(Context& context, bool all) {
  bool complete = true;
  for (unsigned next = context.header->step_count; next > 0; --next) {
    const unsigned index = next - 1;
    const wire::WireStep& step = context.step(index);
    if (step.has_undo == 0 || (step.undo_at != 0 && !all)) continue;
    wire::Record& record = context.record(index);
    const wire::State state = __atomic_load_n(&record.state, __ATOMIC_ACQUIRE);
    if (state != wire::State::done && state != wire::State::intent) continue;
    if (static_cast<Op>(step.undo.op) == Op::release_network) continue;  // waits for links to vanish: at the very end
    if (!complete && is_ledger(step)) return false;
    long result = 0, second = -1;
    if (still_ours(context, step, record)) result = perform(context, step.undo, &second);
    // What could not be undone stays in the ledger, and the ledger stays: `reset` tries again. EBADF: the thing belonged to a
    // descriptor of the monitor (a listening socket, an nftables table with an owner) and went with it. ESRCH: it has ended.
    // EINVAL of umount2: nothing is mounted there (any more, or in this mount namespace).
    const bool unmounted = result == -EINVAL && static_cast<Op>(step.undo.op) == Op::umount2;
    const bool gone = !raw::failed(result) || unmounted || result == -ENOENT || result == -EBADF || result == -ESRCH || result == -ENODEV;
    if (gone) __atomic_store_n(&record.state, wire::State::undone, __ATOMIC_RELEASE);
    complete = complete && gone;
  }
  return complete;
}

}  // namespace drydock::plan::executor
