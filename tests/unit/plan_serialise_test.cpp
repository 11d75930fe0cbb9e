// The serialised form is read back as the executor reads it: through a Ledger.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <drydock/kernel/error.hpp>
#include <drydock/kernel/sys.hpp>
#include <drydock/plan/ledger.hpp>
#include <drydock/plan/serialise.hpp>

#include "support/catch.hpp"
#include "support/plan_host.hpp"
#include "support/refusal.hpp"

using namespace drydock;
using namespace drydock::plan;
using namespace drydock::test;

namespace {

Ledger ledger_of(const std::string& bytes) {
  Fd file = sys::memfd_create("ledger", 0);
  sys::write_all(file, bytes);
  return Ledger(std::move(file));
}

const wire::WireArg& arg_of(Ledger& ledger, const wire::WireCall& call, unsigned index) {
  const char* base = reinterpret_cast<const char*>(&ledger.header());
  return reinterpret_cast<const wire::WireArg*>(base + ledger.header().args_at)[call.first + index];
}

// Every argument of `call` as the executor would see it is the one that the plan holds.
void check_call(Ledger& ledger, const wire::WireCall& wired, const Call& call) {
  REQUIRE(wired.op == static_cast<std::uint8_t>(call.op));
  REQUIRE(wired.count == call.args.size());
  for (unsigned index = 0; index < call.args.size(); ++index) {
    const wire::WireArg& arg = arg_of(ledger, wired, index);
    const auto where = [&] { return ledger.text({static_cast<std::uint32_t>(arg.value), arg.length}); };
    if (const auto* number = std::get_if<std::int64_t>(&call.args[index])) {
      CHECK((arg.type == wire::ArgType::number && arg.value == *number));
    } else if (const auto* slot = std::get_if<Slot>(&call.args[index])) {
      CHECK((arg.type == wire::ArgType::slot && arg.value == slot->index));
    } else if (const auto* text = std::get_if<std::string>(&call.args[index])) {
      CHECK((arg.type == wire::ArgType::text && where() == *text));
    } else {
      CHECK((arg.type == wire::ArgType::text && where() == std::get<Bytes>(call.args[index]).data));
      CHECK(arg.value % 8 == 0);  // messages and filters are read in place
    }
  }
}

Settings settings_of(const std::string& id) {
  Settings settings;
  settings.id = id;
  return settings;
}

}  // namespace

TEST_CASE("a whole container's plan survives the round trip", "[plan][serialise]") {
  for (const auto& spec : {test::full_spec(), test::other_spec()}) {
    const container::ContainerPlan made = container::container_plan(spec, test::hybrid_host());
    Ledger ledger = ledger_of(serialise(made.plan, made.settings));
    const auto edges = edges_of(made.plan);
    REQUIRE(ledger.header().step_count == made.plan.steps().size());
    CHECK(std::string(ledger.header().id) == made.settings.id);
    CHECK(ledger.text(ledger.header().annotation) == made.settings.annotation);
    CHECK(ledger.header().exec_step == made.plan.find("exec").self.index);
    for (const Step& step : made.plan.steps()) {
      INFO(step.id);
      const wire::WireStep& wired = ledger.step(step.self.index);
      CHECK(ledger.text(wired.id) == step.id);
      CHECK(wired.lane == static_cast<std::uint8_t>(step.lane));
      CHECK(wired.result == step.result.index);
      CHECK(wired.has_undo == step.undo_call.has_value());
      REQUIRE(wired.edge_count == edges[step.self.index].size());
      for (unsigned edge = 0; edge < wired.edge_count; ++edge) {
        CHECK(wired.edges[edge] == edges[step.self.index][edge].index);
        CHECK((ledger.step(wired.edges[edge]).notify >> wired.lane & 1) == 1);  // whoever is waited for knows it
      }
      for (std::size_t index = 0; index < step.tolerated.size(); ++index) CHECK(wired.tolerated[index] == step.tolerated[index]);
      check_call(ledger, wired.action, step.action);
      if (step.undo_call) check_call(ledger, wired.undo, *step.undo_call);
      CHECK((ledger.record(step.self.index).state == wire::State::pending));
    }
  }
}

TEST_CASE("a plan that cannot be executed is not written", "[plan][serialise]") {
  Plan plan;
  plan.monitor("a", ops::setsid());
  Settings settings = settings_of("x");
  settings.inject = "a";
  CHECK(refusal([&] { serialise(plan, settings); }).find("STEP=ERRNO") != std::string::npos);
  settings.inject = "b=EPERM";
  CHECK(refusal([&] { serialise(plan, settings); }).find("'b'") != std::string::npos);
  settings.inject = "a=ENOTHING";
  CHECK(refusal([&] { serialise(plan, settings); }).find("ENOTHING") != std::string::npos);
  settings.inject.clear();
  settings.id = std::string(100, 'x');
  CHECK(refusal([&] { serialise(plan, settings); }).find("too long") != std::string::npos);
}

TEST_CASE("an injected failure is in the header", "[plan][serialise]") {
  Plan plan;
  plan.monitor("a", ops::setsid());
  const StepRef b = plan.monitor("b", ops::setsid());
  Settings settings = settings_of("x");
  settings.inject = "b=EPERM";
  Ledger ledger = ledger_of(serialise(plan, settings));
  CHECK(ledger.header().inject_step == b.index);
  CHECK(ledger.header().inject_error == EPERM);
  CHECK(errno_from_name("EEXIST") == EEXIST);
  CHECK(errno_from_name("28") == ENOSPC);
}

TEST_CASE("limits of the form are refusals, not overruns", "[plan][serialise]") {
  Plan many;
  for (int index = 0; index < 1025; ++index) many.monitor("s" + std::to_string(index), ops::setsid());
  CHECK(refusal([&] { serialise(many, settings_of("x")); }).find("1024") != std::string::npos);
  Plan slots;
  for (int index = 0; index <= wire::max_slots; ++index) slots.slot("v" + std::to_string(index), SlotKind::fd);
  CHECK(refusal([&] { serialise(slots, settings_of("x")); }).find("192") != std::string::npos);

  Plan edges;
  const Slot child = edges.slot("child", SlotKind::pid);
  edges.slot("child_fd", SlotKind::fd);
  edges.monitor("clone", ops::clone3(0, {}, Lane::payload)).into(child);
  std::vector<StepRef> monitors;
  for (int index = 0; index < 7; ++index) monitors.push_back(edges.monitor("m" + std::to_string(index), ops::setsid()));
  Step& last = edges.payload("last", ops::setsid());
  for (const StepRef step : monitors) last.after(step);
  CHECK(refusal([&] { serialise(edges, settings_of("x")); }).find("six") != std::string::npos);

  Plan tolerant;
  tolerant.monitor("a", ops::setsid()).tolerate(EPERM).tolerate(EROFS).tolerate(EEXIST);
  CHECK(refusal([&] { serialise(tolerant, settings_of("x")); }).find("two") != std::string::npos);
}

TEST_CASE("a ledger that is cut short, foreign or of another version is refused", "[plan][ledger]") {
  Plan plan;
  plan.monitor("a", ops::mkdir("/x", 0755));
  const std::string bytes = serialise(plan, settings_of("x"));
  CHECK_NOTHROW(ledger_of(bytes));
  CHECK_THROWS_AS(ledger_of(""), Error);
  CHECK_THROWS_AS(ledger_of(bytes.substr(0, 100)), Error);
  CHECK_THROWS_AS(ledger_of(bytes.substr(0, bytes.size() - 1)), Error);
  CHECK_THROWS_AS(ledger_of(std::string(bytes.size(), 'x')), Error);
  std::string other = bytes;
  other[4] = 99;  // the format
  CHECK_THROWS_AS(ledger_of(other), Error);
}

TEST_CASE("a ledger of an earlier boot names nothing that lives", "[plan][ledger]") {
  Plan plan;
  plan.monitor("a", ops::setsid());
  Ledger ledger = ledger_of(serialise(plan, settings_of("x")));
  CHECK_FALSE(ledger.stale());
  ledger.header().monitor_pid = ::getpid();
  ledger.header().monitor_start = sys::start_time(::getpid()).value();
  CHECK(ledger.monitor_lives());
  ledger.header().monitor_start -= 1;  // the pid was reused
  CHECK_FALSE(ledger.monitor_lives());
  ledger.header().monitor_start += 1;
  ledger.header().boot_id[0] = 'z';
  CHECK(ledger.stale());
  CHECK_FALSE(ledger.monitor_lives());
}
