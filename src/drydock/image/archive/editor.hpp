// Every change of the image store: new images, names, removal. All or nothing, and safe beside other commands.
//
// New blobs and layers are made in DATA/tmp/import-<random>/, which is locked while its owner lives; commit() moves them to their
// places and writes the records last, so that an image is there completely or not at all. What a killed command leaves in
// DATA/tmp is removed by the next one, and what no image names any more by the next that finds no import under way.
//
// Example: Editor editor(data, {}); ... unpack into editor.scratch() ...; editor.add_layer(dir, diff_id);
// editor.commit({record}); Errors: Error::refused (unknown image, image in use), Error::from_errno. Source: image-layout.md of
// the OCI image specification; flock(2): the kernel frees the lock of a dead process.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <drydock/image/layout.hpp>
#include <drydock/kernel/fd.hpp>

namespace drydock::image {

// What containers use at the moment. Asked under the store's lock, before anything is deleted.
struct InUse {
  std::set<std::string> layers;               // directories, as in Image::layers
  std::map<std::string, std::string> images;  // config digest -> name of a container made from it
};
using UsedByContainers = std::function<InUse()>;

class Editor {
 public:
  // Makes the store when there is none. An empty `used` means that there are no containers.
  Editor(std::string data, UsedByContainers used);
  ~Editor();
  Editor(const Editor&) = delete;
  Editor& operator=(const Editor&) = delete;

  const std::string& data() const { return data_; }
  // A directory of this editor's own, on the same file system as the store.
  const std::string& scratch() const { return scratch_; }

  // The layer with this diff id when it is unpacked and its blob is there.
  std::optional<LayerRecord> known_layer(const std::string& diff_id) const;
  bool has_layer(const std::string& diff_id, const std::string& blob_digest) const;

  // `path` (in the scratch directory) will be the blob, or the layer, of this digest after commit().
  void add_blob(const std::string& path, const std::string& digest);
  void add_layer(const std::string& path, const std::string& diff_id);
  // A small blob from memory; gives its descriptor.
  Descriptor add_blob_text(const std::string& content, const std::string& media_type);
  // Moves everything in place and writes the records; one of the same reference is replaced. `sync`: waits until the disk has all
  // of it before anything names it. Without it a power cut within the next half minute may leave an image with empty files, as
  // with docker and containerd; with it an import beside other writers took a minute instead of two seconds.
  void commit(const std::vector<Record>& records, bool sync = false);

  void tag(const std::string& source, const std::string& target);
  // Removes one name, or by id an image with at most one name. Lines as Docker prints them: "Untagged: ...", "Deleted: ...".
  std::vector<std::string> remove(const std::string& reference);

 private:
  void make_store() const;
  void make_scratch();
  void put_record(const Record& record) const;
  void write_index() const;
  std::vector<std::string> collect_garbage();

  std::string data_, scratch_;
  UsedByContainers used_;
  Fd scratch_lock_, import_lock_;
  std::vector<std::pair<std::string, std::string>> blobs_, layers_;  // path in scratch, digest
};

}  // namespace drydock::image
