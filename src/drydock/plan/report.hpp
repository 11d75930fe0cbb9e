// What happened, from the records of a ledger: the trace (JSON lines), the timeline, and the guided tour of --explain.
//
// Example: std::string lines = trace(plan, launch.ledger());
// Source: executor/wire.hpp; times are CLOCK_MONOTONIC.
#pragma once

#include <functional>
#include <string>

#include <drydock/plan/ledger.hpp>
#include <drydock/plan/plan.hpp>

namespace drydock::plan {

// One JSON object a line, in the order in which the steps began: step, lane, call, text, begin_us (since the monitor was
// spawned), duration_us, state, result, error.
std::string trace(const Plan& plan, const Ledger& ledger);
// A table: where the microseconds between the caller's spawn and the end went, longest steps marked.
std::string timeline(const Plan& plan, const Ledger& ledger);
// Shows each lane that waits before a step (--explain) to `ask` and lets it go on when that returns.
void serve_explain(const Plan& plan, Ledger& ledger, const std::function<void(const Step&)>& ask);

}  // namespace drydock::plan
