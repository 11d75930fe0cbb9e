// What a lane knows while it executes: the mapped ledger, the values of slots, and its sockets.
//
// One Context lives in each process of a launch (a child lane gets its copy by clone). No heap, no exceptions.
// Source: docs/architecture.md, "Who executes the plan".
#pragma once

#include <cstddef>
#include <cstdint>

#include <drydock/plan/executor/wire.hpp>
#include <drydock/plan/op.hpp>

namespace drydock::plan::executor {

// A step that is a function of the program that links the executor (the student's): 0 or a value, or -errno.
using Function = long (*)(void* argument);

struct Functions {
  const Function* table = nullptr;
  void* const* arguments = nullptr;
  int count = 0;
};

struct UserEntry {  // what resolve_user found
  char home[256] = "/";
  std::uint32_t groups[64] = {};
  int group_count = 0;
  bool known = false;
};

struct Context {
  wire::Header* header = nullptr;
  char* base = nullptr;
  int lane = 0;
  int ledger_fd = -1;
  int control = -1;                       // monitor: socket to the caller
  int to_monitor = -1;                    // child lanes: socket to the monitor
  int lanes[wire::max_lanes] = {-1, -1, -1, -1};  // monitor: socket to each lane
  long slots[wire::max_slots];
  bool arrived[1024] = {};                // steps of other lanes whose message has come
  Functions functions;
  UserEntry user;
  char detail[240] = {};                  // the kernel's own words about the failure in hand
  bool in_init = false;

  const wire::WireStep& step(unsigned index) const;
  wire::Record& record(unsigned index) const;
  const char* text(wire::Text where) const { return base + header->blob_at + where.offset; }
};

// Arguments of a call.
long number(const Context& context, const wire::WireCall& call, int index);
const char* text(const Context& context, const wire::WireCall& call, int index);
std::size_t text_length(const Context& context, const wire::WireCall& call, int index);
// A descriptor argument: AT_FDCWD for "none".
int directory(const Context& context, const wire::WireCall& call, int index);

// Maps the ledger behind `fd`; false when it is none.
bool open_ledger(Context& context, int fd);

// Executes one call. The second result (pidfd, pty peer, write end, gid) goes to *second.
long perform(Context& context, const wire::WireCall& call, long* second);

// Executes every step of `lane` in order; 0, or -errno of the first failure (written to the header).
long run_lane(Context& context, int lane);
// Waits until the lane of `step` says that it is done; -ECANCELED when that lane or the caller is gone.
long wait_for(Context& context, unsigned step);
// Monitor: waits until the lane behind `socket` has said something or ended. False when the caller is gone first; that cancels
// the launch, however long the lane would still take (--explain waits for a key).
bool lane_speaks(Context& context, int socket);
// Runs undo calls backwards: those due at exit, and with `all` those due at removal. False when something would not go: then
// the ledger is kept, and another try may be made.
bool undo(Context& context, bool all);

// Where a monitor finds its socket to the caller.
inline constexpr int control_number = 3;
// The whole life of a monitor: wait for the ledger, run, supervise, undo, report. Returns the exit status of the process.
int monitor_main(Functions functions = {});

std::uint64_t monotonic_ns();
std::uint64_t realtime_ns();
// Start time of a process in clock ticks, 0 when it is gone.
std::uint64_t start_time(int pid);

}  // namespace drydock::plan::executor
