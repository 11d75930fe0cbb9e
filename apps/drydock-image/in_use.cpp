#include "in_use.hpp"

#include <drydock/container/container.hpp>
#include <drydock/image/store.hpp>
#include <drydock/kernel/sys.hpp>

namespace drydock::image_cli {

image::UsedByContainers used_by_containers(const std::string& data) {
  return [data] {
    image::InUse in_use;
    container::Paths paths = container::default_paths();
    paths.data = data;
    const image::Store store(data);
    for (const container::Record& record : container::Engine(paths).list(true)) {
      if (!store.contains(record.image)) {
        // Its name was taken away while another name kept the image: nobody knows which layers it has, so none may go.
        for (const std::string& layer : sys::list_directory(data + "/layers")) in_use.layers.insert(data + "/layers/" + layer);
        continue;
      }
      const image::Image image = store.find(record.image);
      in_use.layers.insert(image.layers.begin(), image.layers.end());
      in_use.images.emplace(image.config_digest, record.name.empty() ? record.id.substr(0, 12) : record.name);
    }
    return in_use;
  };
}

}  // namespace drydock::image_cli
