// The life of a monitor: run its lane, supervise, undo, report.
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <drydock/kernel/raw.hpp>
#include <drydock/plan/executor/context.hpp>
#include <drydock/plan/executor/packets.hpp>
#include <drydock/plan/executor/shared_network.hpp>
#include <drydock/plan/executor/supervise.hpp>
#include <drydock/plan/executor/text.hpp>

namespace drydock::plan::executor {

namespace {

constexpr int exit_ours = 125;

// Everything that could reach a monitor from outside is decided here, before the first step.
int settle() {
  raw::call(SYS_close_range, control_number + 1, ~0U, 0);
  raw::call(SYS_setsid);
  raw::call(SYS_prctl, PR_SET_NAME, "drydock-monitor", 0, 0, 0);  // exec by descriptor would leave its number as the name
  raw::call(SYS_umask, 0);  // modes in the plan are meant as they stand; exec gives the program the usual 022
  raw::call(SYS_prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  const std::uint64_t all = ~std::uint64_t{0};
  raw::call(SYS_rt_sigprocmask, SIG_SETMASK, &all, nullptr, sizeof all);
  const std::uint64_t watched = (1ULL << (SIGCHLD - 1)) | (1ULL << (SIGTERM - 1)) | (1ULL << (SIGINT - 1)) | (1ULL << (SIGHUP - 1)) |
                                (1ULL << (SIGQUIT - 1));
  return static_cast<int>(raw::call(SYS_signalfd4, -1, &watched, sizeof watched, SFD_CLOEXEC | SFD_NONBLOCK));
}

bool has_payload(const Context& context) {
  return context.header->payload_slot != wire::no_slot && context.slots[context.header->payload_slot] > 0;
}

void died_in_setup(wire::Header& header) {
  copy_text(header.failed_detail, sizeof header.failed_detail, "the process died before it could start the program");
  header.failed_error = ECHILD;
}

// Waits until the payload's socket ends: its exec succeeded, or it died. True when the program runs.
bool payload_runs(Context& context) {
  wire::Header& header = *context.header;
  if (header.exec_step == wire::no_slot) return header.failed_step < 0;
  // The joiner keeps a copy of the payload's socket until it ends; both must be gone. The proxy lets go of its own when it begins
  // to serve.
  for (int other = 1; other < wire::max_lanes; ++other) {
    if (context.lanes[other] < 0) continue;
    wire::LaneMessage message;
    int fd = -1;
    for (;;) {
      if (!lane_speaks(context, context.lanes[other])) return false;
      if (!receive_lane_message(context.lanes[other], message, fd)) break;
      if (fd >= 0) raw::call(SYS_close, fd);
    }
    raw::call(SYS_close, context.lanes[other]);
    context.lanes[other] = -1;
  }
  wire::Record& record = context.record(header.exec_step);
  if (header.failed_step >= 0) return false;
  if (record.state != wire::State::intent) {
    died_in_setup(header);
    return false;
  }
  record.end_ns = monotonic_ns();
  record.state = wire::State::done;
  header.exec_mono_ns = record.end_ns;
  return true;
}

// Ends every lane and helper that was started; pid 1 takes its whole pid namespace with it.
void end_lanes(Context& context) {
  for (unsigned index = 0; index < context.header->step_count; ++index) {
    const wire::WireStep& step = context.step(index);
    const Op op = static_cast<Op>(step.action.op);
    if (!makes_process(op) || step.result == wire::no_slot) continue;
    if (context.slots[step.result] <= 0) continue;
    const long pidfd = context.slots[step.result + 1];
    if (pidfd >= 0) raw::call(SYS_pidfd_send_signal, pidfd, SIGKILL, nullptr, 0);
    int status = 0;
    long waited;
    do waited = raw::call(SYS_wait4, context.slots[step.result], &status, __WALL, nullptr);
    while (waited == -EINTR);
  }
}

void start(Context& context) {
  wire::Header& header = *context.header;
  header.entered_mono_ns = monotonic_ns();
  header.monitor_pid = static_cast<std::int32_t>(raw::call(SYS_getpid));
  header.monitor_start = start_time(header.monitor_pid);
  __atomic_store_n(&header.phase, wire::Phase::starting, __ATOMIC_RELEASE);
}

bool launch(Context& context) {
  wire::Header& header = *context.header;
  const long result = run_lane(context, static_cast<int>(Lane::monitor));
  if (raw::failed(result)) {
    // The lane that failed may be the payload: its record says why, ours only that it was cancelled.
    if (header.failed_step < 0 && header.cancelled == 0) died_in_setup(header);
    return false;
  }
  if (header.payload_slot != wire::no_slot && has_payload(context)) {
    header.payload_pid = static_cast<std::int32_t>(context.slots[header.payload_slot]);
    header.payload_start = start_time(header.payload_pid);
  }
  return payload_runs(context);
}

// What the next container may want at once, a published port above all, is free before the caller hears the end.
void let_go(const Context& context) {
  if (context.control >= 0) raw::call(SYS_close_range, 0, context.control - 1, 0);
  raw::call(SYS_close_range, context.control + 1, ~0U, 0);
}

int finish(Context& context, wire::Word word, int status) {
  wire::Header& header = *context.header;
  header.finished_ns = realtime_ns();
  const bool failed = word == wire::Word::failed;
  const bool remove = failed || (header.flags & (wire::flag_remove | wire::flag_exec)) != 0;
  __atomic_store_n(&header.phase, remove ? wire::Phase::removing : wire::Phase::exited, __ATOMIC_RELEASE);
  end_lanes(context);
  if (undo(context, remove)) header.undone_mono_ns = monotonic_ns();
  let_go(context);
  send_packet(context.control, {word, header.exit_code});
  if (context.control >= 0) raw::call(SYS_close, context.control);
  context.control = -1;
  return status;
}

// The caller waits for the process that it spawned, so that it never has a zombie; a detached container, which outlives the
// caller's interest, goes on in a child that init reaps.
void continue_in_child() {
  clone_args args{};
  args.exit_signal = SIGCHLD;
  const long pid = raw::call(SYS_clone3, &args, sizeof args);
  if (pid > 0) raw::call(SYS_exit_group, 0);
}

struct Watch {
  const Context* context = nullptr;
  const wire::WireCall* call = nullptr;
  Janitor janitor;
};

int keep_watch_for(void* argument) {
  const Watch& watch = *static_cast<const Watch*>(argument);
  const Context& context = *watch.context;
  const wire::WireCall& call = *watch.call;
  keep_watch(watch.janitor, text(context, call, 0), text(context, call, 1), text(context, call, 2), text_length(context, call, 2),
             static_cast<int>(number(context, call, 3)), janitor_patience_ms);
  return 0;
}

// What belongs to all containers of this host together (bridge, NAT): looked after when everything else is done and the
// caller has its answer. Whether or not that step was reached: the address was leased before the launch, and a caller that was
// killed cannot end the lease.
void release_shared(Context& context, bool somebody_waits) {
  static Watch watch;
  alignas(16) static char stack[32 * 1024];
  for (unsigned index = 0; index < context.header->step_count; ++index) {
    const wire::WireStep& step = context.step(index);
    if (step.has_undo == 0 || static_cast<Op>(step.undo.op) != Op::release_network) continue;
    watch.context = &context;
    watch.call = &step.undo;
    const wire::WireCall& call = step.undo;
    if (sit_down(watch.janitor, text(context, call, 0), text(context, call, 2), text_length(context, call, 2)) != 1) return;
    // Who waits for this process shall not wait for the watch: it is kept by another, which takes over the memory as it is. Where nobody
    // waits it stays here, and this is the container's monitor no more: who removes the container waits for that one.
    if (!somebody_waits) context.header->monitor_pid = 0;
    if (!somebody_waits || ::clone(keep_watch_for, stack + sizeof stack, CLONE_VM | SIGCHLD, &watch) < 0)
      keep_watch_for(&watch);
    return;
  }
}

// -1 when the caller is gone, or has thought better of it. What it may have leased meanwhile is then nobody's.
int receive_ledger(int control) {
  static wire::PoolNote note;
  wire::Packet packet;
  int fd = -1;
  while (receive_packet_fd(control, packet, fd)) {
    if (packet.word == wire::Word::ledger) return fd;
    if (packet.word == wire::Word::pool && raw::call(SYS_recvfrom, control, &note, sizeof note, 0, nullptr, nullptr) != sizeof note) break;
  }
  constexpr int patience_ms = 1000;  // the caller's socket closes a little before the caller has ended
  if (note.pool[0] != '\0') release_network(note.pool, note.ledgers, note.teardown, note.length, 0, patience_ms);
  return -1;
}

}  // namespace

int monitor_main(Functions functions) {
  static Context context;
  context.control = control_number;
  context.functions = functions;
  const int signal_fd = settle();
  const int ledger_fd = receive_ledger(context.control);
  if (ledger_fd < 0) return exit_ours;
  if (!open_ledger(context, ledger_fd)) {
    send_packet(context.control, {wire::Word::unfit, static_cast<std::int32_t>(wire::version)});
    return exit_ours;
  }
  wire::Header& header = *context.header;
  if ((header.flags & wire::flag_detached) != 0) {
    continue_in_child();
    let_go_of_stdio();
  }
  start(context);
  int status = exit_ours;
  bool somebody_waits = true;
  if (launch(context)) {
    header.started_ns = realtime_ns();
    __atomic_store_n(&header.phase, wire::Phase::running, __ATOMIC_RELEASE);
    send_packet(context.control, {wire::Word::started, header.payload_pid});
    supervise(context, signal_fd);
    status = finish(context, wire::Word::exited, header.exit_code);
    somebody_waits = (header.flags & wire::flag_parting) == 0;
  } else {
    header.exit_code = exit_ours;
    status = finish(context, wire::Word::failed, exit_ours);
  }
  release_shared(context, somebody_waits);
  return status;
}

}  // namespace drydock::plan::executor
