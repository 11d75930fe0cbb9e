// build-base-image BUSYBOX OUTPUT: makes the image busybox:latest from a static busybox. Run by the build; the same input
// gives the same bytes (times 0, sorted names).
//
// Source: image-layout.md and config.md of the OCI image specification 1.1.
#include <elf.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <iostream>
#include <map>

#include <nlohmann/json.hpp>

#include <drydock/image/archive/digest.hpp>
#include <drydock/image/archive/incoming.hpp>
#include <drydock/image/archive/index.hpp>
#include <drydock/image/archive/media_types.hpp>
#include <drydock/image/archive/save.hpp>
#include <drydock/kernel/error.hpp>
#include <drydock/kernel/sys.hpp>

#include "contents.hpp"

namespace {

using namespace drydock;
using json = nlohmann::ordered_json;

constexpr const char* created = "1970-01-01T00:00:00Z";

// A dynamic busybox would find no C library in an image that has nothing else.
void require_static(const std::string& path, const std::string& program) {
  Elf64_Ehdr header;
  bool is_static = program.size() > sizeof header && program.starts_with("\177ELF");
  if (is_static) {
    std::memcpy(&header, program.data(), sizeof header);
    for (unsigned i = 0; i < header.e_phnum && header.e_phoff + (i + 1) * sizeof(Elf64_Phdr) <= program.size(); ++i) {
      Elf64_Phdr segment;
      std::memcpy(&segment, program.data() + header.e_phoff + i * sizeof segment, sizeof segment);
      is_static = is_static && segment.p_type != PT_INTERP;
    }
  }
  if (!is_static) throw Error::refused("'" + path + "'", "it is no static program", "apt-get install busybox-static");
}

std::string output_of(const std::string& program, const char* argument) {
  const Fd list = sys::memfd_create("applets", 0);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, list.get(), STDOUT_FILENO);
  std::string name = "busybox", option = argument;
  char* arguments[] = {name.data(), option.data(), nullptr};
  pid_t pid = 0;
  const int failed = ::posix_spawn(&pid, program.c_str(), &actions, nullptr, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) throw Error::from_errno("posix_spawn", "\"" + program + "\"", failed);
  int status = 0;
  ::waitpid(pid, &status, 0);
  if (status != 0) throw Error::refused("'" + program + " " + argument + "'", "it failed", "install Debian's busybox-static");
  return sys::read_file("/proc/self/fd/" + std::to_string(list.get()));
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    if (end > at) lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

// Blobs in memory, by digest.
class Blobs {
 public:
  image::Descriptor add(std::string content, std::string_view media_type) {
    const image::Descriptor descriptor{image::sha256_digest(content), std::string(media_type), content.size()};
    contents_[descriptor.digest] = std::move(content);
    return descriptor;
  }
  image::OpenBlob opener() const {
    return [this](const image::Descriptor& blob) { return std::make_unique<image::MemorySource>(contents_.at(blob.digest)); };
  }

 private:
  std::map<std::string, std::string> contents_;
};

image::LayerRecord make_layer(Blobs& blobs, const std::function<void(image::TarWriter&)>& fill) {
  const auto written = [&](image::Compression compression) {
    std::string bytes;
    image::TarWriter tar([&](std::string_view part) { bytes += part; }, compression);
    fill(tar);
    tar.finish();
    return bytes;
  };
  const std::string diff_id = image::sha256_digest(written(image::Compression::none));
  return {blobs.add(written(image::Compression::gzip), image::layer_media_type(image::Compression::gzip)), diff_id};
}

std::string make_config(const std::vector<image::LayerRecord>& layers) {
  json diff_ids = json::array();
  for (const image::LayerRecord& layer : layers) diff_ids.push_back(layer.diff_id);
  const auto row = [](const char* text, bool empty) {
    json entry = {{"created", created}, {"created_by", text}};
    if (empty) entry["empty_layer"] = true;
    return entry;
  };
  return json({{"created", created},
               {"architecture", image::machine_architecture()},
               {"os", "linux"},
               {"config",
                {{"Env", {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}},
                 {"Cmd", {"sh"}},
                 {"WorkingDir", "/"},
                 {"Labels", {{"org.opencontainers.image.title", "busybox"}}}}},
               {"rootfs", {{"type", "layers"}, {"diff_ids", diff_ids}}},
               {"history",
                {row("COPY busybox /bin/busybox  # and a link per applet", false),
                 row("COPY etc www /  # passwd, group, os-release, a page for httpd", false),
                 row("ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", true), row("CMD [\"sh\"]", true)}}})
      .dump();
}

void build(const std::string& busybox, const std::string& output) {
  const std::string program = sys::read_file(busybox);
  require_static(busybox, program);
  const std::vector<std::string> applets = lines_of(output_of(busybox, "--list-full"));
  Blobs blobs;
  image::Record record;
  record.reference = "busybox:latest";
  record.layers.push_back(make_layer(blobs, [&](image::TarWriter& tar) { write_programs(tar, program, applets); }));
  record.layers.push_back(make_layer(blobs, write_settings));
  record.config = blobs.add(make_config(record.layers), image::config_type);
  record.manifest = blobs.add(image::make_manifest(record.config, record.layers), image::manifest_type);
  record.run_config.architecture = image::machine_architecture();
  record.run_config.os = "linux";
  std::string archive;
  const auto sink = image::tar_sink([&](std::string_view bytes) { archive += bytes; });
  image::write_images({record}, blobs.opener(), image::SaveFormat::oci, *sink);
  sys::replace_file(output, archive);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: build-base-image BUSYBOX OUTPUT\n";
    return 2;
  }
  try {
    build(argv[1], argv[2]);
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "build-base-image: " << error.what() << '\n';
    return 1;
  }
}
