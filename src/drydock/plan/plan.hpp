// The launch plan: the complete list of steps that turn a process into a container, as a value.
//
// A plan is pure: building one makes no system call, needs no privilege, and two equal specs give equal plans.
// Steps stand in lanes (one process each); `after` edges tie lanes together; Slots stand for values that exist only
// at run time. print() gives one linearisation, to_json() the data, serialise() what the executor runs.
//
// Example:
//   Plan plan;
//   Slot child = plan.slot("child", SlotKind::pid), pidfd = plan.slot("child_fd", SlotKind::fd);
//   plan.monitor("cgroup.memory", ops::mkdir("/sys/fs/cgroup/memory/x", 0755))
//       .why("the group exists before its first member").undo(ops::remove_cgroup("/sys/fs/cgroup/memory/x"));
//   plan.monitor("clone", ops::clone3(CLONE_NEWPID, {}, Lane::payload)).into(child);
// Chapters: all. Source: docs/architecture.md, "The launch plan".
#pragma once

#include <bitset>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include <drydock/plan/op.hpp>

namespace drydock::plan {

std::string_view lane_name(Lane lane);

enum class SlotKind : std::uint8_t { fd, pid, number };

// When an undo runs: when the payload ends (kernel objects), or when the container is removed (its files).
enum class UndoAt : std::uint8_t { exit, remove };

struct StepRef {
  std::uint16_t index = 0xffff;
};

struct Step {
  std::string id;       // stable, unique: "mount.proc"
  Lane lane = Lane::monitor;
  Call action;
  std::string reason;   // why the step is there, one clause
  std::string target;   // the object, as a user would name it: "volume /data"
  std::vector<StepRef> edges;
  std::optional<Call> undo_call;
  UndoAt undo_when = UndoAt::exit;
  Slot result;
  std::vector<int> tolerated;  // errnos that are as good as success
  bool optional_step = false;  // any failure is recorded and passed over
  StepRef self;

  Step& why(std::string text) { reason = std::move(text); return *this; }
  Step& on(std::string object) { target = std::move(object); return *this; }
  Step& after(StepRef step) { edges.push_back(step); return *this; }
  Step& undo(Call call, UndoAt when = UndoAt::exit) { undo_call = std::move(call); undo_when = when; return *this; }
  Step& into(Slot slot) { result = slot; return *this; }
  Step& tolerate(int code) { tolerated.push_back(code); return *this; }
  Step& best_effort() { optional_step = true; return *this; }
  operator StepRef() const { return self; }
};

struct SlotInfo {
  std::string name;
  SlotKind kind;
};

class Plan {
 public:
  Slot slot(std::string name, SlotKind kind);
  Step& add(Lane lane, std::string id, Call call);
  Step& monitor(std::string id, Call call) { return add(Lane::monitor, std::move(id), std::move(call)); }
  Step& joiner(std::string id, Call call) { return add(Lane::joiner, std::move(id), std::move(call)); }
  Step& payload(std::string id, Call call) { return add(Lane::payload, std::move(id), std::move(call)); }

  const std::deque<Step>& steps() const { return steps_; }
  const std::vector<SlotInfo>& slots() const { return slots_; }
  // The step with this id; throws Error when there is none.
  const Step& find(const std::string& id) const;
  // Things the user asked for that this machine cannot enforce; said, never dropped silently.
  std::vector<std::string> warnings;

 private:
  std::deque<Step> steps_;
  std::bitset<8192> seen_;  // hashes of the steps' ids
  std::vector<SlotInfo> slots_;
};

// Edges of `plan` with the ones that follow from slots: a step that uses a value made in another lane runs after it.
// Indexed by step. Throws Error when an edge joins two child lanes, or when the edges form a cycle.
std::vector<std::vector<StepRef>> edges_of(const Plan& plan);

// One linearisation, one step a line: lane, call with symbolic arguments, reason.
std::string print(const Plan& plan, bool with_reasons = true);
// The whole plan as JSON (schema in docs/plan.md).
std::string to_json(const Plan& plan);
// "mount(\"proc\", \"/proc\", \"proc\", MS_NOSUID|MS_NODEV, \"\")".
std::string print(const Call& call, const std::vector<SlotInfo>& slots);

}  // namespace drydock::plan
