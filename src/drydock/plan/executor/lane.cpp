// The loop of a lane: wait for the steps it depends on, say intent, enter the kernel, say done, tell who waits.
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <drydock/kernel/raw.hpp>
#include <drydock/plan/executor/context.hpp>
#include <drydock/plan/executor/packets.hpp>
#include <drydock/plan/executor/text.hpp>

namespace drydock::plan::executor {

namespace {

constexpr int monitor_lane = 0;

// --explain: the caller prints the step and lets us go on when the reader presses Enter.
void pause_for_reader(Context& context, unsigned index) {
  wire::Header& header = *context.header;
  std::uint32_t& waiting = header.waiting[context.lane];
  std::uint32_t& go = header.go[context.lane];
  __atomic_store_n(&waiting, index + 1, __ATOMIC_RELEASE);
  raw::call(SYS_futex, &waiting, FUTEX_WAKE, 1, nullptr, nullptr, 0);
  for (;;) {
    const std::uint32_t granted = __atomic_load_n(&go, __ATOMIC_ACQUIRE);
    if (granted == index + 1 || __atomic_load_n(&header.cancelled, __ATOMIC_RELAXED) != 0) return;
    if (context.lane == monitor_lane && caller_is_gone(context)) return;
    const timespec tick{0, 100'000'000};  // a caller that died is noticed within a tick
    raw::call(SYS_futex, &go, FUTEX_WAIT, granted, &tick, nullptr, 0);
  }
}

// What a call made, so that undo can tell it from somebody else's object of the same name.
std::uint64_t identity_of(const Context& context, const wire::WireCall& call, long result) {
  struct stat status;
  switch (static_cast<Op>(call.op)) {
    case Op::mkdir:
    case Op::create_file:
      return ::lstat(text(context, call, 0), &status) == 0 ? status.st_ino : 0;
    case Op::symlinkat:
      return ::lstat(text(context, call, 2), &status) == 0 ? status.st_ino : 0;
    case Op::linkat:
      return ::lstat(text(context, call, 1), &status) == 0 ? status.st_ino : 0;
    case Op::clone3:
    case Op::fork_lane:
    case Op::start_helper:
      return start_time(static_cast<int>(result));
    default:
      return 0;
  }
}

bool tolerated(const wire::WireStep& step, int error) {
  return step.optional != 0 || (error != 0 && (step.tolerated[0] == error || step.tolerated[1] == error));
}

void note_failure(Context& context, unsigned index, int error) {
  wire::Header& header = *context.header;
  std::int32_t none = -1;
  // The first failure is the cause; what fails afterwards is a consequence.
  if (!__atomic_compare_exchange_n(&header.failed_step, &none, static_cast<std::int32_t>(index), false, __ATOMIC_ACQ_REL,
                                   __ATOMIC_RELAXED))
    return;
  header.failed_error = error;
  memcpy(header.failed_detail, context.detail, sizeof header.failed_detail);
}

void notify(Context& context, unsigned index, long result, long second) {
  const wire::WireStep& step = context.step(index);
  const Op op = static_cast<Op>(step.action.op);
  LaneFd carried = LaneFd::none;
  int fd = -1;
  if (op == Op::clone3) {
    carried = LaneFd::second;
    fd = static_cast<int>(second);
  } else if (makes_descriptor(op)) {
    carried = LaneFd::first;
    fd = static_cast<int>(result);
  }
  if (context.lane != monitor_lane) {
    send_lane_message(context.to_monitor, index, result, carried, fd);
    return;
  }
  for (int lane = 0; lane < wire::max_lanes; ++lane)
    if ((step.notify & (1u << lane)) != 0 && context.lanes[lane] >= 0)
      send_lane_message(context.lanes[lane], index, result, carried, fd);
}

long execute(Context& context, unsigned index) {
  const wire::WireStep& step = context.step(index);
  wire::Record& record = context.record(index);
  const wire::Header& header = *context.header;
  record.begin_ns = monotonic_ns();
  // A failure is injected instead of the call: the kernel is not entered at all.
  const bool injected = header.inject_step == static_cast<std::int32_t>(index);
  __atomic_store_n(&record.state, wire::State::intent, __ATOMIC_RELEASE);
  long second = -1;
  context.detail[0] = '\0';
  const long result = injected ? -header.inject_error : perform(context, step.action, &second);
  record.end_ns = monotonic_ns();
  record.result = result;
  if (raw::failed(result)) {
    record.error = raw::error_of(result);
    if (tolerated(step, record.error)) {
      __atomic_store_n(&record.state, wire::State::passed_over, __ATOMIC_RELEASE);
      if (step.notify != 0) notify(context, index, -1, -1);
      return 0;
    }
    note_failure(context, index, record.error);
    __atomic_store_n(&record.state, wire::State::failed, __ATOMIC_RELEASE);
    return result;
  }
  record.identity = step.has_undo != 0 ? identity_of(context, step.action, result) : 0;
  __atomic_store_n(&record.state, wire::State::done, __ATOMIC_RELEASE);
  if (step.result != wire::no_slot) {
    context.slots[step.result] = result;
    if (second >= 0 && step.result + 1u < wire::max_slots) context.slots[step.result + 1] = second;
  }
  if (step.notify != 0) notify(context, index, result, second);
  return 0;
}

}  // namespace

long run_lane(Context& context, int lane) {
  context.lane = lane;
  for (unsigned index = 0; index < context.header->step_count; ++index) {
    const wire::WireStep& step = context.step(index);
    if (step.lane != lane) continue;
    for (int edge = 0; edge < step.edge_count; ++edge)
      if (const long result = wait_for(context, step.edges[edge]); raw::failed(result)) return result;
    if (lane == monitor_lane && caller_is_gone(context)) {
      context.header->cancelled = 1;
      return -ECANCELED;
    }
    if ((context.header->flags & wire::flag_explain) != 0) pause_for_reader(context, index);
    if (const long result = execute(context, index); raw::failed(result)) return result;
  }
  return 0;
}

bool lane_speaks(Context& context, int socket) {
  pollfd events[2] = {{socket, POLLIN, 0}, {context.control, 0, 0}};
  long ready;
  do ready = raw::call(SYS_ppoll, events, 2, nullptr, nullptr, 0);
  while (ready == -EINTR);
  if ((events[1].revents & (POLLHUP | POLLERR)) == 0) return true;
  context.header->cancelled = 1;
  return false;
}

long wait_for(Context& context, unsigned wanted) {
  const int lane = context.step(wanted).lane;
  // A payload that a joiner made (exec) speaks through the joiner's socket.
  const int own = context.lanes[lane] >= 0 ? context.lanes[lane] : context.lanes[static_cast<int>(Lane::joiner)];
  const int socket = context.lane == monitor_lane ? own : context.to_monitor;
  while (!context.arrived[wanted]) {
    if (context.lane == monitor_lane && !lane_speaks(context, socket)) return -ECANCELED;
    wire::LaneMessage message;
    int fd = -1;
    if (!receive_lane_message(socket, message, fd)) return -ECANCELED;
    if (message.step >= context.header->step_count) return -EPROTO;
    context.arrived[message.step] = true;
    const std::uint16_t slot = context.step(message.step).result;
    if (slot == wire::no_slot) continue;
    const bool second = message.carries_fd == static_cast<std::uint32_t>(LaneFd::second);
    context.slots[slot] = message.carries_fd == static_cast<std::uint32_t>(LaneFd::first) ? fd : message.value;
    if (second) context.slots[slot + 1] = fd;
  }
  return 0;
}

}  // namespace drydock::plan::executor
