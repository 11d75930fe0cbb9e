// The seccomp program of a container: chosen by --security-opt seccomp=, compiled once, kept in a cache.
//
// Compiling takes a millisecond and libseccomp; reading the result back takes 50 µs. The cache is a directory of small files,
// named after everything that the program depends on; a file that is damaged, or that somebody else could have written, is
// not used but replaced.
//
// Example: const SeccompProgram program = seccomp_program({.profile = "default", .capabilities = mask}, data + "/cache");
//          if (!program.bytes.empty()) add_seccomp_step(plan, Lane::payload, program);
// Chapter: 19. Source: seccomp(2); docker-run(1), --security-opt.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <drydock/plan/plan.hpp>

namespace drydock::security {

struct SeccompRequest {
  std::string profile = "default";  // "default", "unconfined" (also "": no program) or the path of a JSON file
  std::uint64_t capabilities = 0;   // those that the container keeps: the default profile allows more with some
};

struct SeccompProgram {
  std::string bytes;  // struct sock_filter[]; empty for unconfined
  bool from_cache = false;
  std::size_t instructions() const { return bytes.size() / 8; }
};

// `cache_directory` empty: nothing is read or kept. A cache that cannot be written is no error.
// Throws Error (refused) for a profile that cannot be read or understood.
SeccompProgram seccomp_program(const SeccompRequest& request, const std::string& cache_directory);

plan::StepRef add_seccomp_step(plan::Plan& plan, plan::Lane lane, const SeccompProgram& program);

// The file of a cache entry: a header (magic, key, length, checksum) and the program. parse gives the program back, or nothing
// when the file is damaged, cut off, or belongs to another key.
std::string cache_entry(std::string_view key, std::string_view program);
std::optional<std::string> parse_cache_entry(std::string_view key, std::string_view file);

}  // namespace drydock::security
