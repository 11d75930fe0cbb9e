// A root file system tar becomes an image of one layer.
#include <fcntl.h>
#include <time.h>

#include <nlohmann/json.hpp>

#include <drydock/image/archive/changes.hpp>
#include <drydock/image/archive/incoming.hpp>
#include <drydock/image/archive/index.hpp>
#include <drydock/image/archive/load.hpp>
#include <drydock/image/archive/media_types.hpp>
#include <drydock/image/archive/unpack.hpp>
#include <drydock/kernel/error.hpp>
#include <drydock/kernel/sys.hpp>

namespace drydock::image {

using json = nlohmann::ordered_json;

namespace {

// RFC 3339, in seconds, UTC.
std::string now() {
  const auto seconds = static_cast<time_t>(sys::realtime_ns() / 1'000'000'000u);
  tm parts{};
  ::gmtime_r(&seconds, &parts);
  char text[32];
  const std::size_t size = ::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return {text, size};
}

std::string make_config(const std::string& diff_id, const ImportOptions& options, const std::string& from) {
  std::string config = "{}";
  for (const std::string& change : options.changes) config = with_change(config, change);
  const std::string created = now();
  const std::string comment = options.message.empty() ? "Imported from " + from : options.message;
  return json({{"created", created},
               {"architecture", machine_architecture()},
               {"os", "linux"},
               {"config", json::parse(config)},
               {"rootfs", {{"type", "layers"}, {"diff_ids", json::array({diff_id})}}},
               {"history", json::array({{{"created", created}, {"comment", comment}}})}})
      .dump();
}

// A new user's slip: `import` of what should be loaded would give an image whose root holds manifest.json and nothing to run.
void refuse_image_archive(const std::string& root, const std::string& where) {
  const bool image =
      sys::exists(root + "/manifest.json") || (sys::exists(root + "/index.json") && sys::exists(root + "/oci-layout"));
  if (image && !sys::exists(root + "/bin") && !sys::exists(root + "/usr"))
    throw Error::refused(where, "it is an image archive, not a root file system", "use 'drydock image load -i FILE'");
}

}  // namespace

Loaded import_rootfs(const std::string& data, const std::string& path, const std::string& reference,
                     const ImportOptions& options) {
  const std::string where = path == "-" ? "standard input" : "'" + path + "'";
  Record record;
  if (!reference.empty()) record.reference = normalized_reference(reference);
  (void)make_config({}, options, path);  // a wrong --change is said before the archive is read
  const Fd input = open_input(path);
  if (S_ISDIR(sys::fstat(input).st_mode))
    throw Error::refused(where, "it is a directory",
                         "make an archive of it: tar -C " + path + " -c . | drydock image import - NAME");
  Editor editor(data, options.used);
  const std::string root = editor.scratch() + "/layer";
  sys::mkdir(root, 0755);
  Budget budget(options.limits);
  FileSource source(input);
  const LayerResult result = unpack_layer(
      source, {where, sys::open(root + ".blob", O_WRONLY | O_CREAT | O_EXCL, 0644), sys::open(root, O_RDONLY | O_DIRECTORY)},
      budget);
  refuse_image_archive(root, where);
  if (budget.used_entries() == 0) throw Error::refused(where, "it is an empty archive", "make one with 'tar -C DIRECTORY -c .'");
  editor.add_blob(root + ".blob", result.blob_digest);
  editor.add_layer(root, result.diff_id);
  const std::string config = make_config(result.diff_id, options, path);
  record.layers = {{{result.blob_digest, result.media_type, result.blob_size}, result.diff_id}};
  record.config = editor.add_blob_text(config, std::string(config_type));
  record.manifest = editor.add_blob_text(make_manifest(record.config, record.layers), std::string(manifest_type));
  const ParsedConfig parsed = parse_config(config);
  record.created = parsed.created;
  record.run_config = parsed.config;
  editor.commit({record}, options.sync);
  return {record.reference, record.config.digest, result.devices_left_out};
}

}  // namespace drydock::image
