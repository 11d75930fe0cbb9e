// The image store: what is in it, how an image was made, and archives in and out.
#include <drydock/image/archive/editor.hpp>
#include <drydock/image/archive/load.hpp>
#include <drydock/image/archive/save.hpp>
#include <drydock/image/store.hpp>

#include "bindings.hpp"
#include "in_use.hpp"

namespace drydock::python {

namespace {

image::Store store() {
  return image::Store(engine().paths().data);
}

py::dict config_dict(const image::Config& config) {
  py::dict fields;
  fields["entrypoint"] = config.entrypoint;
  fields["command"] = config.command;
  fields["env"] = config.env;
  fields["volumes"] = config.volumes;
  fields["exposed_ports"] = config.exposed_ports;
  fields["working_directory"] = config.working_directory;
  fields["user"] = config.user;
  fields["architecture"] = config.architecture;
  fields["os"] = config.os;
  fields["stop_signal"] = config.stop_signal;
  return fields;
}

py::dict image_dict(const image::Image& image) {
  py::dict fields;
  fields["reference"] = image.reference;
  fields["manifest_digest"] = image.manifest_digest;
  fields["config_digest"] = image.config_digest;
  fields["layer_digests"] = image.layer_digests;
  fields["diff_ids"] = image.diff_ids;
  fields["layers"] = image.layers;
  fields["size"] = image.size;
  fields["created"] = image.created;
  fields["config"] = config_dict(image.config);
  return fields;
}

py::list list() {
  py::list all;
  for (const image::Image& image : store().list()) all.append(image_dict(image));
  return all;
}

py::list history(const std::string& reference) {
  py::list all;
  for (const image::HistoryEntry& entry : store().history(reference)) {
    py::dict fields;
    fields["created"] = entry.created;
    fields["created_by"] = entry.created_by;
    fields["comment"] = entry.comment;
    fields["empty_layer"] = entry.empty_layer;
    fields["size"] = entry.size;
    fields["diff_id"] = entry.diff_id;
    all.append(fields);
  }
  return all;
}

// What an image is called now: its reference, or its id.
std::string name_of(const image::Loaded& loaded) {
  return loaded.reference.empty() ? loaded.id : loaded.reference;
}

std::vector<std::string> load(const std::string& path, const std::string& name) {
  const py::gil_scoped_release released;
  image::LoadOptions options;
  options.used = image_cli::used_by_containers(engine().paths().data);
  options.name = name;
  std::vector<std::string> names;
  for (const image::Loaded& loaded : image::load_images(engine().paths().data, path, options)) names.push_back(name_of(loaded));
  return names;
}

std::string import_rootfs(const std::string& path, const std::string& reference, const std::vector<std::string>& changes, const std::string& message) {
  const py::gil_scoped_release released;
  image::ImportOptions options;
  options.used = image_cli::used_by_containers(engine().paths().data);
  options.changes = changes;
  options.message = message;
  return name_of(image::import_rootfs(engine().paths().data, path, reference, options));
}

void save(const std::vector<std::string>& references, const std::string& path, bool oci) {
  const py::gil_scoped_release released;
  image::save_images(engine().paths().data, references, path, oci ? image::SaveFormat::oci : image::SaveFormat::docker);
}

void tag(const std::string& source, const std::string& target) {
  const py::gil_scoped_release released;
  image::Editor(engine().paths().data, image_cli::used_by_containers(engine().paths().data)).tag(source, target);
}

std::vector<std::string> remove(const std::string& reference) {
  const py::gil_scoped_release released;
  return image::Editor(engine().paths().data, image_cli::used_by_containers(engine().paths().data)).remove(reference);
}

}  // namespace

void declare_images(py::module_& module) {
  using py::arg;
  module.def("images", &list);
  module.def("image", [](const std::string& reference) { return image_dict(store().find(reference)); }, arg("reference"));
  module.def("history", &history, arg("reference"));
  module.def("load", &load, arg("path"), arg("name"));
  module.def("import_rootfs", &import_rootfs, arg("path"), arg("reference"), arg("changes"), arg("message"));
  module.def("save", &save, arg("references"), arg("path"), arg("oci"));
  module.def("tag", &tag, arg("source"), arg("target"));
  module.def("remove_image", &remove, arg("reference"));
}

}  // namespace drydock::python
