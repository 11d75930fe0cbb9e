// Records of containers for people (`ps`) and programs (`inspect`, `ps --format json`).
//
// Example: status_words(record, now) == "Exited (137) 2 minutes ago"
// Source: docker-ps(1) for the words.
#pragma once

#include <cstdint>
#include <string>

#include <drydock/container/container.hpp>

namespace drydock::cli {

std::string joined_command(const container::Record& record);
// `now` is CLOCK_REALTIME in nanoseconds.
std::string status_words(const container::Record& record, std::uint64_t now);
// One line of JSON with the columns of the table.
std::string record_line(const container::Record& record, std::uint64_t now);
// Everything, indented, spec included.
std::string record_json(const std::vector<container::Record>& records);

}  // namespace drydock::cli
