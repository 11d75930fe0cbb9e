// The commands of `drydock`: one function each, chosen by the first word, so that only the options of that one are built.
//
// Example: return cli::dispatch({"run", "--rm", "busybox", "true"});
// Source: the names and flags are those that users of Docker know.
#pragma once

#include <string>
#include <vector>

#include "options.hpp"

namespace drydock::cli {

// Each takes the words behind its name and returns the exit code; errors are exceptions.
int run_command(const Words& words);
int exec_command(const Words& words);
int attach_command(const Words& words);
int ps_command(const Words& words);
int logs_command(const Words& words);
int inspect_command(const Words& words);
int wait_command(const Words& words);
int stop_command(const Words& words);
int kill_command(const Words& words);
int rm_command(const Words& words);
int reset_command(const Words& words);
int images_command(const Words& words);
int image_command(const Words& words);
int facts_command(const Words& words);
int doctor_command(const Words& words);
int version_command(const Words& words);

// Everything behind the program's own name: global options, the command, its words. Never throws.
int dispatch(const Words& words) noexcept;

// What `drydock` alone prints.
std::string overview();

}  // namespace drydock::cli
