#include "experiments/by_hand.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <filesystem>
#include <set>

#include <nlohmann/json.hpp>

#include <drydock/image/archive/digest.hpp>
#include <drydock/image/archive/incoming.hpp>
#include <drydock/image/archive/load.hpp>
#include <drydock/image/archive/tar_writer.hpp>
#include <drydock/kernel/raw.hpp>
#include <drydock/kernel/sys.hpp>

namespace drydock::chapter::image_layers {

namespace fs = std::filesystem;
using json = nlohmann::ordered_json;
using drydock::image::Compression;
using drydock::image::sha256_digest;
using drydock::image::TarWriter;

namespace {

constexpr const char* created = "2026-01-01T00:00:00Z";  // a fixed time: the same words give the same digest

template <typename Fill>
std::string written(Compression compression, Fill fill) {
  std::string bytes;
  TarWriter tar([&](std::string_view part) { bytes += part; }, compression);
  fill(tar);
  tar.finish();
  return bytes;
}

void add_entry(TarWriter& tar, const fs::path& name, const std::string& path) {
  const struct stat status = *sys::lstat(path);
  if (S_ISCHR(status.st_mode) && status.st_rdev == 0)
    tar.file((name.parent_path() / (".wh." + name.filename().string())).string(), 0644, "");
  else if (S_ISDIR(status.st_mode))
    tar.directory(name.string(), status.st_mode & 07777);
  else if (S_ISLNK(status.st_mode))
    tar.symlink(name.string(), sys::readlink(path));
  else
    tar.file(name.string(), status.st_mode & 07777, sys::read_file(path));
}

std::string member(const std::string& content) {
  return "blobs/sha256/" + sha256_digest(content).substr(7);
}

}  // namespace

std::string tar_of(const std::map<std::string, std::string>& files, Compression compression) {
  return written(compression, [&](TarWriter& tar) {
    for (const auto& [name, content] : files) tar.file(name, 0755, content);
  });
}

std::string tar_of_directory(const std::string& path) {
  return written(Compression::none, [&](TarWriter& tar) {
    std::set<fs::path> sorted;
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(path)) sorted.insert(entry.path());
    for (const fs::path& entry : sorted) add_entry(tar, entry.lexically_relative(path), entry.string());
  });
}

std::string diff_id_of(const std::string& tar) {
  drydock::image::MemorySource bytes(tar);
  drydock::image::SniffedSource sniffed(bytes);
  if (sniffed.compression() == Compression::none) return sha256_digest(tar);
  drydock::image::Inflater plain(sniffed, sniffed.compression(), "layer");
  return sha256_digest(drydock::image::read_all(plain, 64 << 20, "layer"));
}

std::string configuration_of(const ByHand& image) {
  json diff_ids = json::array(), history = json::array();
  for (const Instruction& one : image.instructions) {
    json row = {{"created", created}, {"created_by", one.words}};
    if (one.tar)
      diff_ids.push_back(diff_id_of(*one.tar));
    else
      row["empty_layer"] = true;
    history.push_back(row);
  }
  return json({{"created", created},
               {"architecture", drydock::image::machine_architecture()},
               {"os", "linux"},
               {"config", json::parse(image.config)},
               {"rootfs", {{"type", "layers"}, {"diff_ids", diff_ids}}},
               {"history", history}})
      .dump();
}

std::string archive_of(const ByHand& image) {
  const std::string configuration = configuration_of(image);
  std::map<std::string, std::string> members{{member(configuration), configuration}};
  json layers = json::array();
  for (const Instruction& one : image.instructions) {
    if (!one.tar) continue;
    members[member(*one.tar)] = *one.tar;
    layers.push_back(member(*one.tar));
  }
  members["manifest.json"] =
      json::array({{{"Config", member(configuration)}, {"RepoTags", {image.name}}, {"Layers", layers}}}).dump();
  return tar_of(members);
}

std::string load(Bench& bench, const std::string& store, const ByHand& image) {
  const std::string archive = archive_of(image);
  return bench.run([&] {
    Fd file = sys::memfd_create("archive", MFD_CLOEXEC);
    sys::write_all(file, archive);
    return drydock::image::load_images(fs::absolute(store), std::move(file), {}).front().id;
  });
}

std::string ask(Bench& bench, const std::string& store,
                const std::function<std::string(const drydock::image::Store&)>& question) {
  return bench.run([&] { return question(drydock::image::Store(fs::absolute(store))); });
}

std::vector<std::string> layers_of(Bench& bench, const std::string& store, const std::string& name) {
  const std::string lines =
      ask(bench, store, [&](const drydock::image::Store& images) { return json(images.find(name).layers).dump(); });
  return json::parse(lines).get<std::vector<std::string>>();
}

std::string run_in(Bench& bench, const std::string& root, std::vector<std::string> words) {
  return bench.run([&] {
    Child child(0, [&](Talk& chapter) {
      raw::call(SYS_dup3, chapter.output(), STDOUT_FILENO, 0);
      raw::call(SYS_chroot, root.c_str());
      raw::call(SYS_chdir, "/");
      std::vector<char*> arguments;
      for (std::string& word : words) arguments.push_back(word.data());
      arguments.push_back(nullptr);
      chapter.say(text(Outcome{raw::call(SYS_execve, words.front().c_str(), arguments.data(), environ)}));
      return 127;
    });
    std::string said = child.talk().rest();
    child.wait();
    while (said.ends_with('\n')) said.pop_back();
    return said;
  });
}

}  // namespace drydock::chapter::image_layers
