#include <drydock/image/archive/incoming.hpp>

#include <drydock/image/archive/digest.hpp>
#include <drydock/image/archive/layer_root.hpp>
#include <drydock/kernel/error.hpp>

namespace drydock::image {

namespace {

// Such images exist (`umoci new` makes one), but there is nothing in them that could run, and nothing to stack.
std::vector<IncomingImage> with_layers(const Bundle& bundle, std::vector<IncomingImage> images) {
  for (const IncomingImage& image : images)
    if (image.layers.empty())
      throw Error::refused(bundle.where(), "an image in it has no layers", "add a layer to it, then save it again");
  return images;
}

}  // namespace

std::vector<IncomingImage> images_in(Bundle& bundle, const std::string& base_name) {
  if (bundle.contains("index.json") && bundle.contains("oci-layout")) return with_layers(bundle, oci_images(bundle, base_name));
  if (bundle.contains("manifest.json")) return with_layers(bundle, docker_images(bundle));
  throw Error::refused(bundle.where(),
                       "it is no image archive: it has neither manifest.json (docker save) nor index.json (OCI layout)",
                       "for a plain root file system use 'drydock image import FILE NAME'");
}

void check_digest(const std::string& where, const std::string& name, const std::string& content, const std::string& digest) {
  if (const std::string actual = sha256_digest(content); actual != digest)
    throw Error::refused(where, "'" + printable(name) + "' hashes to " + actual + " instead of " + digest,
                         "the archive is damaged or was tampered with; save the image again");
}

std::string machine_architecture() {
#if defined(__x86_64__)
  return "amd64";
#elif defined(__aarch64__)
  return "arm64";
#endif
}

}  // namespace drydock::image
