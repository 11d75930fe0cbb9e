#include "in_use.hpp"

#include <drydock/container/container.hpp>
#include <drydock/image/store.hpp>

namespace drydock::image_cli {

image::UsedByContainers used_by_containers(const std::string& data) {
  return [data] {
    image::InUse in_use;
    container::Paths paths = container::default_paths();
    paths.data = data;
    const image::Store store(data);
    for (const container::Record& record : container::Engine(paths).list(true)) {
      if (!store.contains(record.image)) continue;
      const image::Image image = store.find(record.image);
      in_use.layers.insert(image.layers.begin(), image.layers.end());
      in_use.images.emplace(image.config_digest, record.name.empty() ? record.id.substr(0, 12) : record.name);
    }
    return in_use;
  };
}

}  // namespace drydock::image_cli
