// The base image that comes with Drydock: an OCI layout tar with the image busybox:latest, in the program's read-only data.
//
// Example: std::string_view archive = base_image_archive();
// Source: main.cpp beside this file makes it at build time.
#pragma once

#include <string_view>

namespace drydock {

std::string_view base_image_archive();

}  // namespace drydock
