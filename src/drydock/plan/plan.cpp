#include <drydock/plan/plan.hpp>

#include <algorithm>
#include <array>
#include <functional>

#include <drydock/kernel/error.hpp>

namespace drydock::plan {

Slot Plan::slot(std::string name, SlotKind kind) {
  slots_.push_back({std::move(name), kind});
  return Slot{static_cast<std::uint16_t>(slots_.size() - 1)};
}

Step& Plan::add(Lane lane, std::string id, Call call) {
  // Only a name whose hash was seen before is looked for among the steps.
  const std::size_t hash = std::hash<std::string>{}(id) % seen_.size();
  if (seen_.test(hash) && std::any_of(steps_.begin(), steps_.end(), [&](const Step& step) { return step.id == id; }))
    throw Error::refused("step '" + id + "'", "the plan has a step of that name already", "choose another name");
  seen_.set(hash);
  Step& step = steps_.emplace_back();
  step.id = std::move(id);
  step.lane = lane;
  step.action = std::move(call);
  step.self = StepRef{static_cast<std::uint16_t>(steps_.size() - 1)};
  return step;
}

const Step& Plan::find(const std::string& id) const {
  for (const Step& step : steps_)
    if (step.id == id) return step;
  throw Error::refused("step '" + id + "'", "the plan has no such step", "'drydock run --plan' prints their names");
}

namespace {

// The slots that a call fills beside its own: a pidfd, a peer, a write end, a gid.
bool has_second_result(Op op) {
  return makes_process(op) || op == Op::pty_open || op == Op::pipe || op == Op::resolve_user;
}

std::vector<int> producers(const Plan& plan) {
  std::vector<int> made_by(plan.slots().size(), -1);
  for (const Step& step : plan.steps()) {
    if (!step.result.valid()) continue;
    made_by[step.result.index] = step.self.index;
    if (has_second_result(step.action.op) && step.result.index + 1u < made_by.size()) made_by[step.result.index + 1] = step.self.index;
  }
  return made_by;
}

// The steps that give birth to the lanes, -1 for none: what a lane's parent did before is already in the lane's memory.
using Births = std::array<int, lane_count>;
Births births(const Plan& plan) {
  Births born;
  born.fill(-1);
  for (const Step& step : plan.steps()) {
    const Op op = step.action.op;
    if (op != Op::clone3 && op != Op::fork_lane) continue;
    int& birth = born[static_cast<std::size_t>(std::get<std::int64_t>(step.action.args.back()))];
    if (birth < 0) birth = step.self.index;
  }
  return born;
}

// What a lane's parent, or the parent's parent, did before the birth is in its memory already: nobody has to tell it.
bool known_at_birth(const Plan& plan, const Births& born, Lane lane, const Step& other) {
  for (int birth = born[static_cast<std::size_t>(lane)]; birth >= 0; birth = born[static_cast<std::size_t>(lane)]) {
    lane = plan.steps()[static_cast<std::size_t>(birth)].lane;
    if (other.lane == lane) return other.self.index < birth;
  }
  return false;
}

// Steps that wait for nothing behind them, in lanes born before their first step: their own order is a linearisation.
bool in_order(const Plan& plan, const std::vector<std::vector<StepRef>>& edges, const Births& born) {
  for (const Step& step : plan.steps()) {
    if (born[static_cast<std::size_t>(step.lane)] > step.self.index) return false;
    for (const StepRef edge : edges[step.self.index])
      if (edge.index > step.self.index) return false;
  }
  return true;
}

void require_acyclic(const Plan& plan, const std::vector<std::vector<StepRef>>& edges, const Births& born) {
  if (in_order(plan, edges, born)) return;
  // Kahn's algorithm over edges, the order inside each lane, and the birth of each lane.
  std::vector<int> waiting(plan.steps().size(), 0);
  std::vector<std::vector<int>> next(plan.steps().size());
  int last[lane_count] = {-1, -1, -1, -1};
  const auto add = [&](int from, int to) {
    next[static_cast<std::size_t>(from)].push_back(to);
    ++waiting[static_cast<std::size_t>(to)];
  };
  for (const Step& step : plan.steps()) {
    int& previous = last[static_cast<int>(step.lane)];
    if (previous >= 0) add(previous, step.self.index);
    else if (const int birth = born[static_cast<std::size_t>(step.lane)]; birth >= 0) add(birth, step.self.index);
    previous = step.self.index;
    for (const StepRef edge : edges[step.self.index]) add(edge.index, step.self.index);
  }
  std::vector<int> ready;
  for (std::size_t index = 0; index < waiting.size(); ++index)
    if (waiting[index] == 0) ready.push_back(static_cast<int>(index));
  std::size_t done = 0;
  while (!ready.empty()) {
    const int index = ready.back();
    ready.pop_back();
    ++done;
    for (const int follower : next[static_cast<std::size_t>(index)])
      if (--waiting[static_cast<std::size_t>(follower)] == 0) ready.push_back(follower);
  }
  if (done == waiting.size()) return;
  for (std::size_t index = 0; index < waiting.size(); ++index)
    if (waiting[index] > 0) throw Error::refused("step '" + plan.steps()[index].id + "'", "it would have to run after itself", "remove one of the 'after' edges");
}

}  // namespace

std::vector<std::vector<StepRef>> edges_of(const Plan& plan) {
  const std::vector<int> made_by = producers(plan);
  const Births born = births(plan);
  std::vector<std::vector<StepRef>> edges(plan.steps().size());
  std::vector<int> wanted;
  for (const Step& step : plan.steps()) {
    wanted.clear();
    for (const StepRef edge : step.edges) wanted.push_back(edge.index);
    for (const Arg& arg : step.action.args)
      if (const Slot* slot = std::get_if<Slot>(&arg); slot != nullptr && slot->valid() && made_by[slot->index] >= 0)
        wanted.push_back(made_by[slot->index]);
    std::sort(wanted.begin(), wanted.end());
    wanted.erase(std::unique(wanted.begin(), wanted.end()), wanted.end());
    for (const int index : wanted) {
      const Step& other = plan.steps()[static_cast<std::size_t>(index)];
      if (other.lane == step.lane || known_at_birth(plan, born, step.lane, other)) continue;
      if (other.lane != Lane::monitor && step.lane != Lane::monitor)
        throw Error::refused("step '" + step.id + "'", "it waits for '" + other.id + "' of another child lane; only the monitor talks to all lanes",
                             "let a step of the monitor stand between them");
      edges[step.self.index].push_back(StepRef{static_cast<std::uint16_t>(index)});
    }
  }
  require_acyclic(plan, edges, born);
  return edges;
}

}  // namespace drydock::plan
