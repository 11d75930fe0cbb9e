#include "in_use.hpp"

#include <drydock/container/container.hpp>

namespace drydock::image_cli {

image::UsedByContainers used_by_containers(const std::string& data) {
  return [data] {
    image::InUse in_use;
    container::Paths paths = container::default_paths();
    paths.data = data;
    for (const container::Record& record : container::Engine(paths).list_of_all_hosts()) {
      // Another store (--root) may hold the same image.
      if (record.layers.empty() || !record.layers.front().starts_with(data + "/")) continue;
      in_use.layers.insert(record.layers.begin(), record.layers.end());
      in_use.images.emplace(record.image_id, record.name.empty() ? record.id.substr(0, 12) : record.name);
    }
    return in_use;
  };
}

}  // namespace drydock::image_cli
