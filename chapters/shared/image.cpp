#include "shared/image.hpp"

#include <drydock/container/engine.hpp>
#include <drydock/container/host.hpp>
#include <drydock/kernel/error.hpp>
#include <drydock/kernel/sys.hpp>
#include <drydock/security/capabilities.hpp>

namespace drydock::chapter {

namespace {

image::Image base_image() {
  container::Spec spec;
  spec.image = "busybox";
  return container::find_image(spec, container::default_paths());
}

}  // namespace

Request request_with_image(std::vector<std::string> command, const cgroups::Limits& limits) {
  Request request = request_of_this_user(std::move(command), limits);
  request.data = container::default_paths().data;
  request.image = base_image();
  request.image_hold = std::make_shared<Fd>(image::Store(request.data).hold());
  request.layers_by_descriptor = container::kernel_at_least(6, 13);
  request.capabilities = security::all_capabilities();
  return request;
}

Need needs::image() {
  return {"an image store", []() -> std::string {
            if (sys::geteuid() == 0 && !container::kernel_at_least(5, 19))
              return "this kernel cannot stack id-mapped layers; use Linux 5.19 or newer, or run it without root";
            try {
              base_image();
              return {};
            } catch (const Error& error) {
              const std::string data = container::default_paths().data;
              return "no image can be kept in " + data + "; set DRYDOCK_ROOT to a directory that is yours";
            }
          }};
}

}  // namespace drydock::chapter
