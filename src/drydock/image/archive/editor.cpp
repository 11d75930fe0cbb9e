#include <drydock/image/archive/editor.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/syscall.h>

#include <algorithm>

#include <drydock/image/archive/digest.hpp>
#include <drydock/image/archive/garbage.hpp>
#include <drydock/image/archive/index.hpp>
#include <drydock/image/archive/tree.hpp>
#include <drydock/kernel/error.hpp>
#include <drydock/kernel/raw.hpp>
#include <drydock/kernel/sys.hpp>

namespace drydock::image {

namespace {

constexpr std::string_view scratch_prefix = "import-";

Fd open_lock(const std::string& path) {
  return sys::open(path, O_RDWR | O_CREAT, 0600);
}

// Held for the moment of a change; nobody waits for an archive to be read under it.
Fd store_lock(const std::string& data) {
  Fd lock = open_lock(layout::references(data) + "/.lock");
  sys::flock(lock, LOCK_EX);
  return lock;
}

// Removes what killed imports left: their lock is free.
void remove_stale(const std::string& data) {
  for (const std::string& name : sys::list_directory(layout::temporary(data))) {
    if (!name.starts_with(scratch_prefix)) continue;
    const std::string path = layout::temporary(data) + "/" + name;
    const long opened = raw::call(SYS_openat, AT_FDCWD, path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (raw::failed(opened)) continue;  // its owner has just removed it
    const Fd dir(static_cast<int>(opened));
    if (sys::try_lock(dir)) remove_directory(path);
  }
}

}  // namespace

Editor::Editor(std::string data, UsedByContainers used) : data_(std::move(data)), used_(std::move(used)) {
  make_store();
  const Fd lock = store_lock(data_);
  remove_stale(data_);
  make_scratch();
  import_lock_ = Store(data_).hold();
}

Editor::~Editor() {
  try {
    remove_directory(scratch_);
  } catch (const std::exception&) {  // left for the next editor
  }
}

// Layers hold other users' setuid programs under guessable names (CVE-2021-41091): nobody but the owner may look inside.
void Editor::make_store() const {
  sys::mkdirs(data_);
  for (const std::string& directory :
       {layout::images(data_), layout::references(data_), layout::layers(data_), layout::temporary(data_)})
    sys::mkdirs(directory, 0700);
  sys::mkdirs(layout::images(data_) + "/blobs/sha256");
  const std::string version = layout::images(data_) + "/oci-layout";
  if (!sys::exists(version)) sys::replace_file(version, layout::version_file);
  if (!sys::exists(layout::images(data_) + "/index.json"))
    sys::replace_file(layout::images(data_) + "/index.json", empty_index());
}

void Editor::make_scratch() {
  scratch_ = layout::temporary(data_) + "/" + std::string(scratch_prefix) + sys::random_hex(16);
  sys::mkdir(scratch_, 0700);
  scratch_lock_ = sys::open(scratch_, O_RDONLY | O_DIRECTORY);
  sys::flock(scratch_lock_, LOCK_EX);
}

std::optional<LayerRecord> Editor::known_layer(const std::string& diff_id) const {
  for (const Record& record : all_records(data_))
    for (const LayerRecord& layer : record.layers)
      if (layer.diff_id == diff_id && has_layer(diff_id, layer.blob.digest)) return layer;
  return std::nullopt;
}

bool Editor::has_layer(const std::string& diff_id, const std::string& blob_digest) const {
  return sys::exists(layout::layer(data_, diff_id)) && sys::exists(layout::blob(data_, blob_digest));
}

void Editor::add_blob(const std::string& path, const std::string& digest) {
  blobs_.emplace_back(path, digest);
}

void Editor::add_layer(const std::string& path, const std::string& diff_id) {
  layers_.emplace_back(path, diff_id);
}

Descriptor Editor::add_blob_text(const std::string& content, const std::string& media_type) {
  const Descriptor descriptor{sha256_digest(content), media_type, content.size()};
  const std::string path = scratch_ + "/" + digest_hex(descriptor.digest);
  if (!sys::exists(path)) {
    sys::write_all(sys::open(path, O_WRONLY | O_CREAT | O_EXCL, 0644), content);
    add_blob(path, descriptor.digest);
  }
  return descriptor;
}

void Editor::commit(const std::vector<Record>& records, bool sync) {
  if (sync) raw::call(SYS_syncfs, scratch_lock_.get());
  {
    const Fd lock = store_lock(data_);
    for (const auto& [path, digest] : blobs_) sys::rename(path, layout::blob(data_, digest));
    // False: another import brought the same layer. Equal digests, equal content; ours goes with the scratch directory.
    for (const auto& [path, diff_id] : layers_) (void)move_directory(path, layout::layer(data_, diff_id));
    blobs_.clear();
    layers_.clear();
    for (const Record& record : records) put_record(record);
    write_index();
  }
  collect_garbage();  // of images whose names were taken over
}

// An image that loses its name to another one stays, without a name, while a container is made from it (Docker's <none>).
void Editor::put_record(const Record& record) const {
  const std::string path = layout::record(data_, record_name(record));
  if (const auto text = sys::read_file_if_present(path)) {
    Record before = record_from_json(*text, path);
    if (before.config.digest != record.config.digest && used_ && used_().images.contains(before.config.digest)) {
      before.reference.clear();
      sys::replace_file(layout::record(data_, record_name(before)), to_json(before));
    }
  }
  sys::replace_file(path, to_json(record));
}

void Editor::write_index() const {
  const std::string path = layout::images(data_) + "/index.json";
  sys::replace_file(path, index_of(all_records(data_), sys::read_file_if_present(path).value_or(empty_index())));
}

void Editor::tag(const std::string& source, const std::string& target) {
  Record record = find_record(data_, source);
  const std::string before = record_name(record);
  const bool unnamed = record.reference.empty();
  record.reference = normalized_reference(target);
  if (record.reference.find('@') != std::string::npos)
    throw Error::refused("image reference '" + target + "'", "a digest is no name to give", "write it as NAME or NAME:TAG");
  {
    const Fd lock = store_lock(data_);
    put_record(record);
    if (unnamed) sys::unlink_if_present(layout::record(data_, before));
    write_index();
  }
  collect_garbage();
}

std::vector<std::string> Editor::remove(const std::string& asked) {
  std::vector<std::string> lines;
  {
    const Fd lock = store_lock(data_);
    const Record record = find_record(data_, asked);
    std::string names;
    int count = 0;
    for (const Record& other : all_records(data_)) {
      if (other.config.digest != record.config.digest) continue;
      names += (count++ == 0 ? "" : ", ") + record_name(other);
    }
    const bool by_id = record.reference.empty() || asked.starts_with("sha256:") ||
                       !sys::exists(layout::record(data_, normalized_reference(asked)));
    if (by_id && count > 1)
      throw Error::refused("image '" + asked + "'", "it has several names: " + names, "remove the names one by one");
    const InUse in_use = used_ ? used_() : InUse{};
    if (const auto user = in_use.images.find(record.config.digest); count == 1 && user != in_use.images.end())
      throw Error::refused("image '" + asked + "'", "container " + user->second + " uses it",
                           "run 'drydock rm -f " + user->second + "' first");
    sys::unlink(layout::record(data_, record_name(record)));
    write_index();
    if (!record.reference.empty()) lines.push_back("Untagged: " + record.reference);
  }
  for (std::string& digest : collect_garbage()) lines.push_back("Deleted: " + std::move(digest));
  return lines;
}

// Skipped while another command imports or starts a container: what that one has found to be there must stay. The next change
// of the store does it then.
std::vector<std::string> Editor::collect_garbage() {
  import_lock_.reset();
  const Fd lock = store_lock(data_);
  std::vector<std::string> deleted;
  if (const Fd exclusive = open_lock(layout::hold(data_)); sys::try_lock(exclusive)) {
    const Garbage garbage = find_garbage(data_, used_ ? used_().layers : std::set<std::string>{});
    for (const std::string& digest : garbage.blobs) {
      sys::unlink_if_present(layout::blob(data_, digest));
      deleted.push_back(digest);
    }
    // Out of the way by one rename each: a layer is there completely or not at all.
    for (const std::string& diff_id : garbage.layers)
      move_directory(layout::layer(data_, diff_id), scratch_ + "/gone-" + digest_hex(diff_id));
  }
  import_lock_ = Store(data_).hold();
  return deleted;
}

}  // namespace drydock::image
