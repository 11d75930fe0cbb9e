// The commands behind `drydock image`, each after its words have been parsed.
//
// Example: std::vector<std::string> lines; remove({"busybox"}, "/var/lib/drydock");
// Errors: all throw Error; main() says it in one sentence.
// Source: docker-image(1) and its pages for the names and what they print.
#pragma once

#include <string>
#include <vector>

#include <drydock/image/archive/load.hpp>
#include <drydock/image/archive/save.hpp>

namespace drydock::image_cli {

struct LoadArguments {
  std::string data, input = "-", name;
  image::Limits limits;
  bool quiet = false, sync = false;
};
void load(const LoadArguments& arguments);

struct ImportArguments {
  std::string data, file, reference, message;
  std::vector<std::string> changes;
  image::Limits limits;
  bool sync = false;
};
void import(const ImportArguments& arguments);

struct SaveArguments {
  std::string data, output = "-", format = "docker";
  std::vector<std::string> images;
};
void save(const SaveArguments& arguments);

void history(const std::string& data, const std::string& reference, bool full);
void inspect(const std::string& data, const std::vector<std::string>& references, bool configuration);
void list(const std::string& data, bool quiet, bool full);
void tag(const std::string& data, const std::string& source, const std::string& target);
// True when all could be removed; what could not is said, and the others are removed all the same.
bool remove(const std::string& data, const std::vector<std::string>& references);
// Loads the embedded busybox:latest when the store has none.
void ensure_base(const std::string& data);

}  // namespace drydock::image_cli
