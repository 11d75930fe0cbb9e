// The image that a chapter's container stands on: busybox, out of Drydock's own store. Where the store lacks it, the copy that
// drydock-image carries is unpacked first, as `drydock run` does.
//
// Example: Payload payload(tell, sketch_of(11, request_with_image({"sh"})));
// Source: drydock/image/store.hpp.
#pragma once

#include <string>
#include <vector>

#include "shared/needs.hpp"
#include "shared/sketch.hpp"

namespace drydock::chapter {

// As request_of_this_user(), with the image, what this kernel can do with its layers, and the capabilities that it knows.
Request request_with_image(std::vector<std::string> command = {"cat"}, const cgroups::Limits& limits = Request::default_limits());

namespace needs {
// A store that this user may write to, and for root a kernel that stacks id-mapped layers.
Need image();
}  // namespace needs

}  // namespace drydock::chapter
