#include "commands.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <ctime>

#include <drydock/image/store.hpp>
#include <drydock/kernel/error.hpp>
#include <drydock/kernel/sys.hpp>

#include "base-image/embedded.hpp"
#include "drydock/output.hpp"
#include "in_use.hpp"

namespace drydock::image_cli {

namespace {

std::string size_text(std::uint64_t bytes) {
  static constexpr std::array<const char*, 5> units = {"B", "kB", "MB", "GB", "TB"};
  std::size_t unit = 0;
  auto value = static_cast<double>(bytes);
  for (; value >= 999.5 && unit + 1 < units.size(); ++unit) value /= 1000;
  std::array<char, 32> text;
  std::snprintf(text.data(), text.size(), unit == 0 || value >= 99.95 ? "%.0f%s" : "%.1f%s", value, units[unit]);
  return text.data();
}

// RFC 3339 as "3 weeks ago"; "-" for a time that is unknown (0 is what reproducible builds write).
std::string age(const std::string& created) {
  std::tm parts{};
  if (::strptime(created.c_str(), "%Y-%m-%dT%H:%M:%S", &parts) == nullptr) return "-";
  const std::time_t then = ::timegm(&parts);
  const auto now = static_cast<std::time_t>(sys::realtime_ns() / 1'000'000'000u);
  if (then <= 0 || then > now) return "-";
  return cli::duration_words(static_cast<std::uint64_t>(now - then)) + " ago";
}

std::string shown_id(const std::string& digest, bool full) {
  return full ? digest : digest.substr(7, 12);
}

void warn_of_devices(std::uint64_t count) {
  if (count == 0) return;
  cli::say(std::to_string(count) + " device nodes of /dev were left out: a container gets a /dev of its own");
}

}  // namespace

void load(const LoadArguments& arguments) {
  if (arguments.input == "-" && ::isatty(STDIN_FILENO) == 1)
    throw Error::refused("image load", "standard input is the terminal", "name an archive: drydock image load -i FILE");
  const auto loaded = image::load_images(arguments.data, arguments.input,
                                         {arguments.limits, used_by_containers(arguments.data), arguments.sync, arguments.name});
  for (const image::Loaded& one : loaded) {
    if (arguments.quiet) continue;
    cli::print(one.reference.empty() ? "Loaded image ID: " + one.id + "\n" : "Loaded image: " + one.reference + "\n");
  }
  if (!loaded.empty()) warn_of_devices(loaded.front().devices_left_out);
}

void import(const ImportArguments& arguments) {
  const image::Loaded loaded = image::import_rootfs(
      arguments.data, arguments.file, arguments.reference,
      {arguments.limits, used_by_containers(arguments.data), arguments.sync, arguments.changes, arguments.message});
  warn_of_devices(loaded.devices_left_out);
  cli::print(loaded.id + "\n");
}

void save(const SaveArguments& arguments) {
  if (arguments.output == "-" && ::isatty(STDOUT_FILENO) == 1)
    throw Error::refused("image save", "standard output is the terminal", "name a file: drydock image save -o FILE IMAGE");
  image::save_images(arguments.data, arguments.images, arguments.output,
                     arguments.format == "oci" ? image::SaveFormat::oci : image::SaveFormat::docker);
}

void history(const std::string& data, const std::string& reference, bool full) {
  const auto entries = image::Store(data).history(reference);
  cli::Table table({"LAYER", "CREATED", "CREATED BY", "SIZE", "COMMENT"});
  for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry)  // newest first, as docker prints it
    table.add({entry->diff_id.empty() ? "<none>" : shown_id(entry->diff_id, full), age(entry->created),
               cli::shortened(entry->created_by, full ? 4096 : 60), size_text(entry->size),
               cli::shortened(entry->comment, full ? 4096 : 40)});
  cli::print(table.text());
}

void inspect(const std::string& data, const std::vector<std::string>& references, bool configuration) {
  const image::Store store(data);
  std::string text;
  for (const std::string& reference : references) {
    if (configuration)
      text += store.config_json(reference) + "\n";
    else
      text += (text.empty() ? "[\n" : ",\n") + image::inspect_json(store, reference);
  }
  cli::print(configuration ? text : text + "\n]\n");
}

void list(const std::string& data, bool quiet, bool full) {
  cli::Table table({"REPOSITORY", "TAG", "IMAGE ID", "CREATED", "SIZE"});
  for (const image::Image& image : image::Store(data).list()) {
    const std::string id = shown_id(image.config_digest, full);
    if (quiet) {
      cli::print(id + "\n");
      continue;
    }
    const std::size_t colon = image.reference.rfind(':');
    const bool named = colon != std::string::npos;
    table.add({named ? image.reference.substr(0, colon) : "<none>", named ? image.reference.substr(colon + 1) : "<none>", id,
               age(image.created), size_text(image.size)});
  }
  if (!quiet) cli::print(table.text());
}

void tag(const std::string& data, const std::string& source, const std::string& target) {
  image::Editor(data, used_by_containers(data)).tag(source, target);
}

bool remove(const std::string& data, const std::vector<std::string>& references) {
  bool all = true;
  for (const std::string& reference : references) {
    try {
      for (const std::string& line : image::Editor(data, used_by_containers(data)).remove(reference)) cli::print(line + "\n");
    } catch (const Error& error) {
      cli::say(error.what());
      all = false;
    }
  }
  return all;
}

void ensure_base(const std::string& data) {
  if (image::Store(data).contains("busybox:latest")) return;
  Fd archive = sys::memfd_create("base-image", 0);
  sys::write_all(archive, base_image_archive());
  image::load_images(data, std::move(archive), {{}, used_by_containers(data), false, {}});
}

}  // namespace drydock::image_cli
