#include <drydock/plan/report.hpp>

#include <fmt/format.h>
#include <linux/futex.h>
#include <sys/syscall.h>

#include <algorithm>
#include <climits>

#include <nlohmann/json.hpp>

#include <drydock/kernel/error.hpp>
#include <drydock/kernel/raw.hpp>

namespace drydock::plan {

namespace {

std::string_view state_name(wire::State state) {
  constexpr std::string_view names[] = {"pending", "intent", "done", "failed", "passed over", "undone"};
  return names[static_cast<std::size_t>(state)];
}

std::vector<unsigned> in_order_of_time(const Ledger& ledger) {
  std::vector<unsigned> order;
  for (unsigned index = 0; index < ledger.header().step_count; ++index)
    if (ledger.record(index).begin_ns != 0) order.push_back(index);
  std::stable_sort(order.begin(), order.end(), [&](unsigned a, unsigned b) { return ledger.record(a).begin_ns < ledger.record(b).begin_ns; });
  return order;
}

double microseconds(std::uint64_t from, std::uint64_t to) {
  return to > from ? static_cast<double>(to - from) / 1000.0 : 0.0;
}

}  // namespace

std::string trace(const Plan& plan, const Ledger& ledger) {
  const std::uint64_t start = ledger.header().spawned_mono_ns;
  std::string lines;
  for (const unsigned index : in_order_of_time(ledger)) {
    const Step& step = plan.steps()[index];
    const wire::Record& record = ledger.record(index);
    nlohmann::json line{{"step", step.id}, {"lane", lane_name(step.lane)}, {"call", info(step.action.op).name}, {"text", print(step.action, plan.slots())},
                        {"begin_us", microseconds(start, record.begin_ns)}, {"duration_us", microseconds(record.begin_ns, record.end_ns)},
                        {"state", state_name(record.state)}, {"result", record.result}};
    if (record.error != 0) line["error"] = errno_name(record.error);
    lines += line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  }
  return lines;
}

std::string timeline(const Plan& plan, const Ledger& ledger) {
  const wire::Header& head = ledger.header();
  const std::uint64_t start = head.spawned_mono_ns;
  std::string text = "    at µs     took  lane     step\n";
  const auto mark = [&](std::uint64_t when, const char* what) {
    if (when != 0) text += fmt::format("{:9.0f}        -  {}\n", microseconds(start, when), what);
  };
  mark(head.entered_mono_ns, "-- the monitor runs");
  for (const unsigned index : in_order_of_time(ledger)) {
    const Step& step = plan.steps()[index];
    const wire::Record& record = ledger.record(index);
    const double took = microseconds(record.begin_ns, record.end_ns);
    text += fmt::format("{:9.0f} {:8.1f}{} {:<8} {:<26} {}\n", microseconds(start, record.begin_ns), took, took >= 100 ? "*" : " ", lane_name(step.lane), step.id,
                        print(step.action, plan.slots()).substr(0, 90));
  }
  mark(head.exec_mono_ns, "-- the program runs");
  mark(head.exit_mono_ns, "-- the program has ended");
  mark(head.undone_mono_ns, "-- everything is undone");
  return text + "* 100 µs or more\n";
}

void serve_explain(const Plan& plan, Ledger& ledger, const std::function<void(const Step&)>& ask) {
  wire::Header& head = ledger.header();
  for (int lane = 0; lane < lane_count; ++lane) {
    const std::uint32_t waiting = __atomic_load_n(&head.waiting[lane], __ATOMIC_ACQUIRE);
    if (waiting == 0 || waiting == __atomic_load_n(&head.go[lane], __ATOMIC_ACQUIRE)) continue;
    ask(plan.steps()[waiting - 1]);
    __atomic_store_n(&head.go[lane], waiting, __ATOMIC_RELEASE);
    raw::call(SYS_futex, &head.go[lane], FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
  }
}

}  // namespace drydock::plan
