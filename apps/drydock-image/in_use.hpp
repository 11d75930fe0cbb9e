// What the containers of this user need of the image store.
//
// Example: Editor editor(data, used_by_containers());
// Source: container/container.hpp, Engine::list_of_all_hosts.
#pragma once

#include <drydock/image/archive/editor.hpp>

namespace drydock::image_cli {

image::UsedByContainers used_by_containers(const std::string& data);

}  // namespace drydock::image_cli
