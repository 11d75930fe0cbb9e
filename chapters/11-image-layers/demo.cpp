// Chapter 11: image layers. The root of a container comes out of an image: tar archives named by what they hash to.
#include <drydock/facts/snapshot.hpp>
#include <drydock/image/archive/digest.hpp>
#include <drydock/kernel/sys.hpp>

#include "experiments.hpp"
#include "shared/bench.hpp"
#include "shared/chapter.hpp"
#include "shared/image.hpp"
#include "shared/payload.hpp"

namespace drydock::chapter::image_layers {

void story(Narrator& tell) {
  tell.question(
      "the image busybox has two layers, and its history four rows. A container of it deletes /www/index.html. How many layers "
      "has the image then, and is the page still in one of them?");
  tell.step("look into the store: a configuration, and the layers that it names");
  Request request = request_with_image({"sh"});
  const drydock::image::Image image = request.image;
  const drydock::image::Store store(request.data);
  const std::string upper = request.data + "/upper/" + request.id, page = "/www/index.html";
  tell.show("rows of the history", store.history("busybox").size(), is(4));
  tell.show("layers", image.layers.size(), is(2));
  tell.show("id = sha256 of configuration?",
            image.config_digest == drydock::image::sha256_digest(
                                       sys::read_file(request.data + "/images/blobs/sha256/" + image.config_digest.substr(7))),
            is(true));
  tell.step("mkdir upper; mount overlay with both layers below it; pivot_root; execve(\"sh\")");
  Payload payload(tell, sketch_of(11, std::move(request)));
  const auto answer = [&](const char* command) {
    payload.talk().say(command);
    return payload.talk().line();
  };
  const auto hash_inside = [&](const char* file) { return answer(("sha256sum < " + std::string(file)).c_str()).substr(0, 64); };
  const auto hash_in_layer = [&](std::size_t layer, const std::string& file) {
    return drydock::image::sha256_digest(sys::read_file(image.layers[layer] + file)).substr(7);
  };
  tell.show("is its sh that of the lower?", hash_inside("/bin/busybox") == hash_in_layer(0, "/bin/busybox"), is(true));
  tell.show("is its page that of the upper?", hash_inside("/www/index.html") == hash_in_layer(1, page), is(true));
  tell.step("in the container: rm /www/index.html");
  tell.show("is it there?", answer("rm /www/index.html; test -e /www/index.html && echo yes || echo no"), is("no"));
  tell.show("page in the writable layer", kind_of(upper + page), is("char device 0:0"));
  tell.show("page in the image", kind_of(image.layers[1] + page), is("file"));
  tell.show("layers of the image", store.find("busybox").layers.size(), is(2));
  tell.show("exit status of sh", payload.end(), is(0));
  tell.show("the writable layer, afterwards", kind_of(upper), is("none"));
  tell.result(
      "an image is layers and a list of their digests, and it stays as it is. A container adds one directory, and takes it "
      "away.");
}

const std::vector<Experiment> experiments = {
    {"instructions",
     "Six instructions of a Dockerfile: how many layers?",
     {"N0-009", "E-056"},
     {needs::namespaces(), layers()},
     instructions},
    {"smallest",
     "What is the least that an image must have to be run?",
     {"N1-020", "N2-013", "U-21"},
     {needs::namespaces(), layers()},
     smallest},
    {"digests",
     "Who gives an image its id, and is it the same elsewhere?",
     {"N1-066", "E-060"},
     {needs::namespaces(), layers()},
     digests},
    {"removal",
     "An image has two names and a relative. What does rmi delete?",
     {"N1-069", "N3-034", "E-061"},
     {needs::namespaces(), layers()},
     removal},
    {"deleted-later",
     "A big file is added in one layer and deleted in the next. How large is the image?",
     {},
     {needs::namespaces(), layers()},
     deleted_later},
    {"save-load",
     "What of an image survives save and load?",
     {"N1-071", "N4-066", "N4-067", "U-14"},
     {needs::namespaces(), layers()},
     save_load},
    {"two-containers",
     "Two containers of one image: what do they share, and who writes to the image?",
     {"N0-006", "N1-021", "N2-009"},
     {needs::namespaces(), needs::image()},
     two_containers},
    {"no-parent", "How does a layer know what lies below it?", {"N0-011", "E-057"}, {needs::namespaces(), layers()}, no_parent},
    {"shared-layers",
     "A second image has the same base. What does it cost?",
     {"N0-098"},
     {needs::namespaces(), layers()},
     shared_layers},
    {"aliases",
     "docker tag: a second image, or a second name?",
     {"N1-066", "N1-068", "N1-070", "N3-014", "N3-029"},
     {needs::namespaces(), layers()},
     aliases},
    {"in-use",
     "May an image be removed while a container runs?",
     {"N2-032", "E-061"},
     {needs::namespaces(), needs::image()},
     in_use},
    {"history",
     "Whose history does docker history show: an image's or a container's?",
     {"N2-022", "N4-031", "E-087"},
     {needs::namespaces(), layers(), needs::image()},
     history},
    {"missing", "What is <missing> in docker history?", {"N3-033", "E-064"}, {needs::namespaces(), layers()}, missing},
    {"inspect", "What does inspect say of ubuntu:20.4?", {"N3-031", "N3-032", "E-065"}, {needs::namespaces(), layers()}, inspect},
    {"flattened",
     "What does export with import lose that save with load keeps?",
     {"U-14"},
     {needs::namespaces(), layers()},
     flattened},
    {"ship", "Build, ship, run: is it the same image at each step?", {"N2-003", "N3-004"}, {needs::namespaces(), layers()}, ship},
    {"no-boot",
     "Which layer is the boot file system?",
     {"N3-023", "N3-024", "N3-036", "E-063"},
     {needs::namespaces(), needs::image()},
     no_boot},
    {"commit", "How does a container become an image?", {"N0-016", "E-058"}, {needs::namespaces(), layers()}, commit},
};

}  // namespace drydock::chapter::image_layers

int main(int argc, char** argv) {
  using namespace drydock::chapter;
  return drydock::chapter::main(
      {.number = 11,
       .name = "image-layers",
       .idea = "an image is layers named by their digests, and a list of them: save, share, tag, delete",
       .story = image_layers::story,
       .needs = {needs::namespaces(), needs::image()},
       .experiments = image_layers::experiments,
       .request = [](std::vector<std::string> command) { return request_with_image(std::move(command)); }},
      argc, argv);
}
