// `import --change`: Dockerfile instructions that set the configuration of an image.
//
// Example: with_change("{}", "CMD [\"sh\"]") == R"({"Cmd":["sh"]})"
// Errors: Error::refused for an instruction that Docker would refuse here too.
// Source: docker-import(1), --change; the Dockerfile reference for the two forms (JSON array, shell words).
#pragma once

#include <string>

namespace drydock::image {

// `config` is the JSON object "config" of an image configuration; returns it with the instruction applied.
std::string with_change(const std::string& config, const std::string& instruction);

}  // namespace drydock::image
