#include <drydock/plan/plan.hpp>

#include <algorithm>
#include <set>

#include <drydock/kernel/error.hpp>

namespace drydock::plan {

Slot Plan::slot(std::string name, SlotKind kind) {
  slots_.push_back({std::move(name), kind});
  return Slot{static_cast<std::uint16_t>(slots_.size() - 1)};
}

Step& Plan::add(Lane lane, std::string id, Call call) {
  for (const Step& step : steps_)
    if (step.id == id) throw Error::refused("step '" + id + "'", "the plan has a step of that name already", "choose another name");
  Step step;
  step.id = std::move(id);
  step.lane = lane;
  step.action = std::move(call);
  step.self = StepRef{static_cast<std::uint16_t>(steps_.size())};
  steps_.push_back(std::move(step));
  return steps_.back();
}

const Step& Plan::find(const std::string& id) const {
  for (const Step& step : steps_)
    if (step.id == id) return step;
  throw Error::refused("step '" + id + "'", "the plan has no such step", "'drydock run --plan' prints their names");
}

namespace {

// The slots that a call fills beside its own: a pidfd, a peer, a write end, a gid.
bool has_second_result(Op op) {
  return op == Op::clone3 || op == Op::fork_lane || op == Op::pty_open || op == Op::pipe || op == Op::resolve_user;
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

// The step that gives birth to a lane: what its parent did before is already in the child's memory.
int birth_of(const Plan& plan, Lane lane) {
  for (const Step& step : plan.steps()) {
    const Op op = step.action.op;
    if (op != Op::clone3 && op != Op::fork_lane) continue;
    const Arg& target = step.action.args.back();
    if (std::get<std::int64_t>(target) == static_cast<std::int64_t>(lane)) return step.self.index;
  }
  return -1;
}

// What a lane's parent, or the parent's parent, did before the birth is in its memory already: nobody has to tell it.
bool known_at_birth(const Plan& plan, Lane lane, const Step& other) {
  for (int birth = birth_of(plan, lane); birth >= 0; birth = birth_of(plan, lane)) {
    lane = plan.steps()[static_cast<std::size_t>(birth)].lane;
    if (other.lane == lane) return other.self.index < birth;
  }
  return false;
}

void require_acyclic(const Plan& plan, const std::vector<std::vector<StepRef>>& edges) {
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
    else if (const int birth = birth_of(plan, step.lane); birth >= 0) add(birth, step.self.index);
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
  std::vector<std::vector<StepRef>> edges(plan.steps().size());
  for (const Step& step : plan.steps()) {
    std::set<int> wanted;
    for (const StepRef edge : step.edges) wanted.insert(edge.index);
    for (const Arg& arg : step.action.args)
      if (const Slot* slot = std::get_if<Slot>(&arg); slot != nullptr && slot->valid() && made_by[slot->index] >= 0)
        wanted.insert(made_by[slot->index]);
    for (const int index : wanted) {
      const Step& other = plan.steps()[static_cast<std::size_t>(index)];
      if (other.lane == step.lane || known_at_birth(plan, step.lane, other)) continue;
      if (other.lane != Lane::monitor && step.lane != Lane::monitor)
        throw Error::refused("step '" + step.id + "'", "it waits for '" + other.id + "' of another child lane; only the monitor talks to all lanes",
                             "let a step of the monitor stand between them");
      edges[step.self.index].push_back(StepRef{static_cast<std::uint16_t>(index)});
    }
  }
  require_acyclic(plan, edges);
  return edges;
}

}  // namespace drydock::plan
