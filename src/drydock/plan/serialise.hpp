// From a plan to the bytes that the executor maps: the ledger file before it is started.
//
// Example: std::string bytes = serialise(plan, settings);
// Source: executor/wire.hpp for the layout.
#pragma once

#include <cstdint>
#include <string>

#include <drydock/plan/executor/wire.hpp>
#include <drydock/plan/plan.hpp>

namespace drydock::plan {

// What the monitor must know beside the steps.
struct Settings {
  std::string id, name;
  std::string annotation;    // JSON, shown by inspect
  std::string ledger_path;   // the name that the first step gives the ledger
  std::string log_path, socket_path;
  std::string oom_path, oom_key;  // file and key that count OOM kills of the container's group
  std::uint32_t flags = 0;   // wire::Flag
  int linger_ms = 400;
  Slot payload;              // pid; its pidfd is the next slot
  Slot input, output, error, terminal;
  std::string exec_step;     // id of the step after which the program runs; empty: none
  std::string inject;        // "STEP=ERRNO": that step fails without entering the kernel
};

// Throws Error for a plan that cannot be executed (cycle, too many steps, unknown step to inject into).
std::string serialise(const Plan& plan, const Settings& settings);

// "EEXIST" or "17" to 17; throws Error otherwise.
int errno_from_name(const std::string& name);

}  // namespace drydock::plan
