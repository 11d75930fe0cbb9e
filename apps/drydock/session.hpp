// What several commands need: the engine, names of containers from the words, options that run and exec share.
//
// Example: container::Engine engine = open_engine();
//          return for_each_container(options.positionals(), [&](const std::string& name) { engine.stop(name); });
#pragma once

#include <functional>
#include <optional>
#include <string>

#include <drydock/container/container.hpp>

#include "options.hpp"

namespace drydock::cli {

// The engine of this user, after the quiet clean-up that every command does first (see Engine::recover).
container::Engine open_engine(bool starts_another = false);

// Calls `act` for each name; an error is said and does not keep the others from their turn. 0, or 1 when one failed.
int for_each_container(const Words& names, const std::function<void(const std::string&)>& act);

// A variable of our own environment, for -e NAME.
std::optional<std::string> environment(const std::string& name);
std::string working_directory();

// --explain, --trace, --timeline and (hidden) --inject.
void declare_run_options(Options& options, container::RunOptions& target);
// -e and --env-file, into `env`.
void declare_environment(Options& options, Words& env);

// A sentence when this user can make no container at all: neither root nor allowed to make user namespaces. Empty: go on.
std::string why_impossible();

}  // namespace drydock::cli
