// The serialised form of a launch plan, which is also the ledger of the container: one file, mapped shared.
//
//   Header | WireStep[steps] | WireArg[arguments] | Record[steps] | blob (strings, messages, annotation)
//
// Everything but the header's state and the records is constant once written. The records are written by the processes
// that execute the steps and read by everybody else: they are the trace, the timeline, and the list of what to undo, and
// they survive the death of every process because they live in a file. No pointers, no padding surprises: plain integers.
//
// Rule (design, rule 4): a record says *intent* before its call enters the kernel and *done* (with the identity of what was
// made) after. Undo removes only what is recorded, and only if the identity still matches.
// Source: docs/architecture.md, "The launch plan".
#pragma once

#include <cstdint>

namespace drydock::plan::wire {

inline constexpr std::uint32_t magic = 0x4b434f44;  // "DOCK"
inline constexpr std::uint32_t version = 4;  // one more with every change of Op or of a structure below
inline constexpr int max_slots = 192;
inline constexpr int max_edges = 6;
inline constexpr int max_lanes = 4;
inline constexpr std::uint16_t no_slot = 0xffff;

struct Text {  // into the blob; NUL terminated there
  std::uint32_t offset = 0, length = 0;
};

enum class ArgType : std::uint32_t { number, text, slot };

struct WireArg {
  ArgType type = ArgType::number;
  std::uint32_t length = 0;   // text
  std::int64_t value = 0;     // number, slot index (no_slot for "none"), or offset into the blob
};

struct WireCall {
  std::uint8_t op = 0;
  std::uint8_t count = 0;
  std::uint16_t unused = 0;
  std::uint32_t first = 0;    // index of the first WireArg
};

struct WireStep {
  std::uint8_t lane = 0;
  std::uint8_t undo_at = 0;    // UndoAt
  std::uint8_t has_undo = 0;
  std::uint8_t optional = 0;
  std::uint8_t notify = 0;     // bit per lane that waits for this step
  std::uint8_t edge_count = 0;
  std::uint16_t result = no_slot;
  std::uint16_t edges[max_edges] = {};  // only those that need a message: from another lane
  std::int32_t tolerated[2] = {0, 0};
  Text id, reason, target;
  WireCall action, undo;
};

enum class State : std::uint32_t { pending, intent, done, failed, passed_over, undone };

struct Record {
  State state = State::pending;
  std::int32_t error = 0;
  std::int64_t result = 0;
  std::uint64_t begin_ns = 0, end_ns = 0;  // CLOCK_MONOTONIC
  std::uint64_t identity = 0;              // inode of what was made, 0 when unknown
};

enum class Phase : std::uint32_t { prepared, starting, running, exited, removing, failed };

enum Flag : std::uint32_t {
  flag_remove = 1,      // --rm: files go when the program ends
  flag_detached = 2,    // outlives its caller
  flag_terminal = 4,
  flag_interactive = 8,
  flag_explain = 16,
  flag_exec = 32,       // a program in a running container, not a container
  flag_frozen = 64,
  flag_parting = 128,   // the caller ends when it has heard the end: nobody waits for the monitor
};

struct Header {
  std::uint32_t magic_number = magic, format = version;
  std::uint64_t size = 0;
  std::uint32_t step_count = 0, slot_count = 0;
  std::uint32_t steps_at = 0, args_at = 0, records_at = 0, blob_at = 0;
  char boot_id[40] = {};     // /proc/sys/kernel/random/boot_id: after a reboot nothing in here exists any more
  char id[72] = {};
  char name[136] = {};
  std::uint32_t flags = 0;
  std::int32_t linger_ms = 0;
  Text annotation;            // the container's JSON: spec, image, address, cgroups
  Text ledger_path;           // where the ledger was linked
  Text log_path, socket_path; // empty when there is none
  Text oom_path, oom_key;     // file and line that count the kernel's OOM kills
  Text frozen_path;
  std::uint16_t payload_slot = no_slot;  // pid, pidfd in the next
  std::uint16_t stdin_slot = no_slot, stdout_slot = no_slot, stderr_slot = no_slot;  // detached: pipe ends of the monitor
  std::uint16_t terminal_slot = no_slot;
  std::uint16_t exec_step = no_slot;
  std::int32_t inject_step = -1, inject_error = 0;

  // --- state: written by the monitor and its lanes -----------------------------------------------------------------
  Phase phase = Phase::prepared;
  std::int32_t monitor_pid = 0, payload_pid = 0, exit_code = 0;
  std::uint64_t monitor_start = 0, payload_start = 0;  // clock ticks since boot
  std::uint64_t created_ns = 0, started_ns = 0, finished_ns = 0;  // CLOCK_REALTIME
  std::uint64_t spawned_mono_ns = 0, entered_mono_ns = 0, exec_mono_ns = 0, exit_mono_ns = 0, undone_mono_ns = 0;
  std::uint32_t out_of_memory = 0;
  std::uint32_t cancelled = 0;       // the caller went away, or asked to stop
  std::int32_t failed_step = -1, failed_error = 0;
  char failed_detail[240] = {};      // what the kernel itself said
  // --explain: a lane that is about to enter a step puts index + 1 here and sleeps until `go` says the same (futexes)
  std::uint32_t waiting[max_lanes] = {}, go[max_lanes] = {};
};

// Packets on the control socket between caller and monitor.
enum class Word : std::uint32_t {
  started = 1,    // monitor: the program runs
  failed = 2,     // monitor: see failed_* in the header; everything is undone
  exited = 3,     // monitor: exit_code is set; everything is undone
  descriptor = 4, // monitor: an SCM_RIGHTS descriptor (the terminal)
  unfit = 5,      // monitor: the ledger is none that it can read; value is its own format version
  signal = 16,    // caller: value is a signal number for pid 1
  detach = 17,    // caller: go on without me
  go = 18,        // caller: wait_go may go on
  ledger = 19,    // caller: with the descriptor of the ledger; the monitor begins
  pool = 20,      // caller, before the ledger: a PoolNote follows
};

// Whose lease the monitor answers for while it has no ledger yet: a caller that dies between leasing an address and handing
// over the plan leaves the pool to it.
struct PoolNote {
  char pool[256] = {}, ledgers[256] = {};  // paths as in release_network
  std::uint32_t length = 0;                // of the teardown
  char teardown[1024] = {};
};

struct Packet {
  Word word = Word::started;
  std::int32_t value = 0;
};

// Packets between lanes.
struct LaneMessage {
  std::uint32_t step = 0;
  std::uint32_t carries_fd = 0;
  std::int64_t value = 0;
};

}  // namespace drydock::plan::wire
