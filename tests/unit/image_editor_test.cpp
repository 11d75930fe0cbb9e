// Changes of the store: names, removal, what is left for containers and for other tools, what a killed import leaves.
#include <drydock/image/archive/editor.hpp>

#include "support/image_archives.hpp"
#include "support/needs.hpp"

using namespace drydock;
using namespace drydock::test;

namespace {

std::size_t count(const fs::path& directory) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(directory), fs::directory_iterator()));
}

}  // namespace

TEST_CASE("an image without a name is known by its id", "[image]") {
  const Sandbox box;
  DockerArchive archive{{tar_with("a", "1")}};
  archive.tags.clear();
  CHECK(box.load(archive.bytes()).at(0).reference.empty());
  CHECK(box.store().find(archive.id().substr(7, 12)).reference.empty());
  image::Editor(box.data.string(), {}).tag(archive.id(), "named");
  CHECK(box.store().find("named").config_digest == archive.id());
  CHECK(box.store().list().size() == 1);
}

TEST_CASE("removing takes the name first and the content with the last one", "[image][N1-069][N3-029][N3-034]") {
  const Sandbox box;
  const std::string shared = tar_with("a", "1");
  box.load(DockerArchive{{shared, tar_with("b", "2")}, {}, {"one:1"}}.bytes());
  box.load(DockerArchive{{shared, tar_with("c", "3")}, {}, {"two:1"}}.bytes());
  const std::string data = box.data.string();
  image::Editor(data, {}).tag("one:1", "alias");
  CHECK(box.store().find("alias").config_digest == box.store().find("one:1").config_digest);
  CHECK(count(box.data / "layers") == 3);
  CHECK(
      box.refusal([&] { image::Editor(data, {}).remove(box.store().find("alias").config_digest); }).find("alias:latest, one:1") !=
      std::string::npos);
  CHECK(image::Editor(data, {}).remove("one:1") == std::vector<std::string>{"Untagged: one:1"});
  CHECK(count(box.data / "layers") == 3);
  const auto lines = image::Editor(data, {}).remove("alias");
  CHECK(lines.size() == 4);  // the name, one layer, the configuration, the manifest
  CHECK(count(box.data / "layers") == 2);
  CHECK(fs::exists(box.layer(image::sha256_digest(shared))));
  CHECK(box.refusal([&] { image::Editor(data, {}).remove("one:1"); }).find("no such image") != std::string::npos);
  CHECK(box.store().contains("two:1"));
}

TEST_CASE("an image that a container uses is not removed, and replaced layers wait for it", "[image][N2-032]") {
  const Sandbox box;
  const std::string data = box.data.string();
  box.load(DockerArchive{{tar_with("a", "1")}, {}, {"x:1"}}.bytes());
  const image::Image old = box.store().find("x:1");
  bool running = true;
  const image::UsedByContainers used = [&] {
    image::InUse in_use;
    if (!running) return in_use;
    in_use.layers = {old.layers.begin(), old.layers.end()};
    in_use.images = {{old.config_digest, "web"}};
    return in_use;
  };
  CHECK(box.refusal([&] { image::Editor(data, used).remove("x:1"); }).find("container web uses it") != std::string::npos);
  CHECK(box.store().contains("x:1"));
  image::LoadOptions options;
  options.used = used;
  options.sync = true;
  box.load(DockerArchive{{tar_with("b", "2")}, {}, {"x:1"}}.bytes(), options);  // the name moves to another image
  CHECK(box.store().find("x:1").config_digest != old.config_digest);
  CHECK(box.store().find(old.config_digest).reference.empty());  // the old one stays, without a name
  CHECK(fs::exists(old.layers.at(0)));
  CHECK(box.refusal([&] { image::Editor(data, used).remove(old.config_digest); }).find("container web uses it") !=
        std::string::npos);
  running = false;
  image::Editor(data, used).remove(old.config_digest);
  CHECK_FALSE(fs::exists(old.layers.at(0)));
  box.load(DockerArchive{{tar_with("c", "3")}, {}, {"x:1"}}.bytes(), options);  // nobody uses the one that is replaced now
  CHECK(box.store().list().size() == 1);
  CHECK(count(box.data / "layers") == 1);
}

TEST_CASE("what other tools put into the layout stays", "[image]") {
  const Sandbox box;
  box.load(DockerArchive{{tar_with("a", "1")}, {}, {"x:1"}}.bytes());
  OciLayout foreign;
  const std::string layer = tar_with("f", "1");
  const std::string digest =
      foreign.image({{layer, image::sha256_digest(layer), image::layer_media_type(image::Compression::none)}}, "theirs");
  for (const auto& [name, content] : foreign.files)
    if (name.starts_with("blobs/")) std::ofstream(box.data / "images" / name) << content;
  json index = json::parse(sys::read_file((box.data / "images/index.json").string()));
  index["manifests"].push_back(foreign.manifests.at(0));
  std::ofstream(box.data / "images/index.json") << index.dump();
  image::Editor(box.data.string(), {}).remove("x:1");
  const json after = json::parse(sys::read_file((box.data / "images/index.json").string()));
  REQUIRE(after.at("manifests").size() == 1);
  CHECK(after.at("manifests").at(0).at("digest") == digest);
  CHECK(count(box.data / "images/blobs/sha256") == 3);
  CHECK(image::load_images(box.data.string(), (box.data / "images").string(), {}).size() ==
        1);  // and our own layout can be loaded
}

TEST_CASE("what a killed import left is removed by the next", "[image]") {
  const Sandbox box;
  box.load(DockerArchive{{tar_with("a", "1")}}.bytes());
  fs::create_directories(box.data / "tmp/import-0123456789abcdef/layer-0/deep");
  fs::create_directories(box.data / "tmp/somebody-else");
  const image::Editor running(box.data.string(), {});
  CHECK_FALSE(fs::exists(box.data / "tmp/import-0123456789abcdef"));
  CHECK(fs::exists(box.data / "tmp/somebody-else"));
  const image::Editor second(box.data.string(), {});
  CHECK(fs::exists(running.scratch()));  // its owner lives
}
