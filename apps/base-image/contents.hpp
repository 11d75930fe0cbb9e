// What stands in the base image: the programs (layer 1) and the configuration of a small system (layer 2).
//
// Example: TarWriter tar(out, Compression::gzip); write_programs(tar, busybox, applets); tar.finish();
// Source: hier(7); passwd(5), group(5), os-release(5), nsswitch.conf(5).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <drydock/image/archive/tar_writer.hpp>

namespace drydock {

// `applets` as `busybox --list-full` prints them: "bin/sh", "usr/bin/wc", ...
void write_programs(image::TarWriter& tar, std::string_view busybox, const std::vector<std::string>& applets);
void write_settings(image::TarWriter& tar);

}  // namespace drydock
