// The store: what comes in can be found, listed, named, handed on, and is byte for byte what it was.
#include <drydock/image/archive/editor.hpp>
#include <drydock/image/archive/save.hpp>

#include "support/image_archives.hpp"
#include "support/needs.hpp"

using namespace drydock;
using namespace drydock::test;

namespace {

std::string blob(const Sandbox& box, const std::string& digest) {
  return sys::read_file((box.data / "images/blobs/sha256" / digest.substr(7)).string());
}

std::size_t count(const fs::path& directory) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(directory), fs::directory_iterator()));
}

}  // namespace

TEST_CASE("a missing store is an empty one", "[image]") {
  const Sandbox box;
  CHECK(box.store().list().empty());
  CHECK_FALSE(box.store().contains("busybox"));
  CHECK(box.refusal([&] { box.store().find("busybox"); }).find("drydock image load") != std::string::npos);
  CHECK_FALSE(fs::exists(box.data));  // reading makes nothing
}

TEST_CASE("an image is found by name and by id", "[image][N1-066][N1-068][N4-067]") {
  const Sandbox box;
  DockerArchive archive{{tar_with("a", "1"), tar_with("b", "2")}, {}, {"test:1", "other/name:2"}};
  archive.run = {{"Entrypoint", {"/init"}},
                 {"Cmd", {"serve"}},
                 {"Env", {"A=1"}},
                 {"WorkingDir", "/srv"},
                 {"User", "33"},
                 {"Volumes", {{"/data", json::object()}}},
                 {"ExposedPorts", {{"80/tcp", json::object()}}},
                 {"StopSignal", "SIGQUIT"}};
  box.load(archive.bytes());
  const image::Image found = box.store().find("test:1");
  CHECK(found.reference == "test:1");
  CHECK(found.config_digest == archive.id());
  CHECK(found.diff_ids == std::vector{image::sha256_digest(archive.layers[0]), image::sha256_digest(archive.layers[1])});
  CHECK(found.layers.at(1) == box.layer(found.diff_ids[1]).string());
  CHECK(found.size == archive.layers[0].size() + archive.layers[1].size());
  CHECK(found.created == "2024-01-02T03:04:05Z");
  CHECK(found.config.entrypoint == std::vector<std::string>{"/init"});
  CHECK(found.config.command == std::vector<std::string>{"serve"});
  CHECK(found.config.env == std::vector<std::string>{"A=1"});
  CHECK(found.config.volumes == std::vector<std::string>{"/data"});
  CHECK(found.config.exposed_ports == std::vector<std::string>{"80/tcp"});
  CHECK(found.config.working_directory == "/srv");
  CHECK(found.config.user == "33");
  CHECK(found.config.stop_signal == "SIGQUIT");
  for (const std::string& name : {std::string("other/name:2"), found.config_digest, found.config_digest.substr(7),
                                  found.config_digest.substr(7, 6), "test@" + found.manifest_digest})
    CHECK(box.store().find(name).config_digest == found.config_digest);
  CHECK(box.store().config_json("test:1") == archive.config());
  CHECK(box.store().list().size() == 2);
  const std::string sentence = box.refusal([&] { box.store().find("tset:1"); });
  CHECK(sentence.find("other/name:2, test:1") != std::string::npos);
}

TEST_CASE("fields that are null are empty", "[image]") {
  const Sandbox box;
  DockerArchive archive{{tar_with("a", "1")}};
  archive.run = {{"Cmd", nullptr}, {"Entrypoint", nullptr}, {"Env", nullptr}, {"Volumes", nullptr}, {"WorkingDir", ""}};
  archive.history = nullptr;
  box.load(archive.bytes());
  CHECK(box.store().find("test").config.command.empty());
  CHECK(box.store().history("test").size() == 1);
}

TEST_CASE("history joins rows and layers, and empty rows have none", "[image][N0-009][N0-011][N4-066]") {
  const Sandbox box;
  DockerArchive archive{{tar_with("a", "1"), tar_with("b", "22")}};
  archive.history = {
      {{"created_by", "ADD a"}}, {{"created_by", "ENV X=1"}, {"empty_layer", true}}, {{"created_by", "RUN b"}, {"comment", "c"}}};
  box.load(archive.bytes());
  const auto rows = box.store().history("test");
  REQUIRE(rows.size() == 3);
  CHECK(rows[0].diff_id == image::sha256_digest(archive.layers[0]));
  CHECK(rows[0].size == archive.layers[0].size());
  CHECK(rows[1].empty_layer);
  CHECK(rows[1].diff_id.empty());
  CHECK(rows[2].created_by == "RUN b");
  CHECK(rows[2].diff_id == image::sha256_digest(archive.layers[1]));
  const json shown = json::parse(image::inspect_json(box.store(), "test"));
  CHECK(shown.at("Id") == archive.id());
  CHECK(shown.at("RootFS").at("Layers").size() == 2);
  CHECK(shown.at("RepoTags") == json::array({"test:latest"}));
}

TEST_CASE("layers keep their form, whichever it is", "[image]") {
  for (const auto compression : {image::Compression::none, image::Compression::gzip, image::Compression::zstd}) {
    const Sandbox box;
    Tar tar(compression);
    tar.file("a", std::string(100'000, 'a'));
    const std::string bytes = tar.bytes();
    Tar plain;
    plain.file("a", std::string(100'000, 'a'));
    OciLayout layout;
    const std::string manifest =
        layout.image({{bytes, image::sha256_digest(plain.bytes()), image::layer_media_type(compression)}}, "x:1");
    box.load(layout.bytes());
    const image::Image image = box.store().find("x:1");
    CHECK(image.manifest_digest == manifest);
    CHECK(image.layer_digests.at(0) == image::sha256_digest(bytes));
    CHECK(blob(box, image.layer_digests.at(0)) == bytes);
    CHECK(blob(box, manifest) == layout.files.at("blobs/sha256/" + manifest.substr(7)));
    CHECK(fs::file_size(fs::path(image.layers.at(0)) / "a") == 100'000);
  }
}

TEST_CASE("saved archives load again with the same digests", "[image][N1-071][N4-066]") {
  const Sandbox box, other;
  Tar tar(image::Compression::gzip);
  tar.file("a", "1").symlink("l", "a");
  Tar plain;
  plain.file("a", "1").symlink("l", "a");
  OciLayout layout;
  layout.image({{tar.bytes(), image::sha256_digest(plain.bytes()), image::layer_media_type(image::Compression::gzip)}}, "x:1");
  box.load(layout.bytes());
  box.load(DockerArchive{{tar_with("b", "2")}, {}, {"y:2", "z:3"}}.bytes());
  const auto formats = {std::pair("docker.tar", image::SaveFormat::docker), std::pair("oci.tar", image::SaveFormat::oci),
                        std::pair("dir/", image::SaveFormat::oci)};
  for (const auto& [name, format] : formats) {
    const std::string output = (box.path / name).string();
    image::save_images(box.data.string(), {"x:1", "y:2", "z:3", "x:1"}, output, format);
    CHECK(image::load_images(other.data.string(), output, {}).size() == 3);
    for (const char* reference : {"x:1", "y:2", "z:3"}) {
      const image::Image before = box.store().find(reference), after = image::Store(other.data.string()).find(reference);
      CHECK(after.manifest_digest == before.manifest_digest);
      CHECK(after.config_digest == before.config_digest);
      CHECK(after.layer_digests == before.layer_digests);
      CHECK(after.diff_ids == before.diff_ids);
    }
    for (const char* reference : {"x:1", "y:2", "z:3"}) image::Editor(other.data.string(), {}).remove(reference);
    CHECK(count(other.data / "layers") == 0);
    CHECK(count(other.data / "images/blobs/sha256") == 0);
  }
  CHECK_THROWS_AS(
      image::save_images(box.data.string(), {"x:1", "nope"}, (box.path / "none.tar").string(), image::SaveFormat::docker), Error);
  CHECK_FALSE(fs::exists(box.path / "none.tar"));
}

TEST_CASE("saving into a layout adds to it", "[image]") {
  const Sandbox box;
  box.load(DockerArchive{{tar_with("a", "1")}, {}, {"x:1", "y:1"}}.bytes());
  const std::string output = (box.path / "layout").string() + "/";
  image::save_images(box.data.string(), {"x:1"}, output, image::SaveFormat::oci);
  image::save_images(box.data.string(), {"y:1"}, output, image::SaveFormat::oci);
  image::save_images(box.data.string(), {"y:1"}, output, image::SaveFormat::oci);
  const json index = json::parse(sys::read_file(output + "index.json"));
  CHECK(index.at("manifests").size() == 2);
}

TEST_CASE("old docker archives share layers through links", "[image]") {
  const Sandbox box;
  const std::string base = tar_with("a", "1");
  DockerArchive one{{base}};
  Tar tar;
  tar.file("aaaa/layer.tar", base).symlink("bbbb/layer.tar", "../aaaa/layer.tar").hard_link("cccc/layer.tar", "aaaa/layer.tar");
  json manifest = json::array();
  for (const char* id : {"aaaa", "bbbb", "cccc"}) {
    tar.file(std::string(id) + ".json", one.config());
    manifest.push_back({{"Config", std::string(id) + ".json"},
                        {"RepoTags", {std::string(id) + ":1"}},
                        {"Layers", {std::string(id) + "/layer.tar"}}});
  }
  tar.file("manifest.json", manifest.dump());
  CHECK(box.load(tar.bytes()).size() == 3);
  CHECK(count(box.data / "layers") == 1);
  CHECK(box.store().find("cccc:1").diff_ids.at(0) == image::sha256_digest(base));
}

TEST_CASE("the machine's own platform is taken from an index of several", "[image]") {
  const Sandbox box;
  const std::string mine = tar_with("mine", "1"), theirs = tar_with("theirs", "2");
  OciLayout layout;
  const std::string type = image::layer_media_type(image::Compression::none);
  const std::string wanted = layout.image({{mine, image::sha256_digest(mine), type}}, "");
  const std::string unwanted = layout.image({{theirs, image::sha256_digest(theirs), type}}, "");
  const auto entry = [](const std::string& digest, const char* architecture) {
    return json{{"mediaType", image::manifest_type},
                {"digest", digest},
                {"size", 1},
                {"platform", {{"os", "linux"}, {"architecture", architecture}}}};
  };
  const char* here = image::machine_architecture() == "amd64" ? "amd64" : "arm64";
  const char* elsewhere = image::machine_architecture() == "amd64" ? "arm64" : "amd64";
  const std::string index =
      layout.blob(json({{"schemaVersion", 2}, {"manifests", {entry(unwanted, elsewhere), entry(wanted, here)}}}).dump());
  layout.files["index.json"] =
      json({{"schemaVersion", 2},
            {"manifests", json::array({{{"mediaType", image::index_type},
                                        {"digest", index},
                                        {"size", index.size()},
                                        {"annotations", {{"org.opencontainers.image.ref.name", "multi:1"}}}}})}})
          .dump();
  CHECK(box.load(layout.bytes()).size() == 1);
  CHECK(box.store().find("multi:1").manifest_digest == wanted);
}

TEST_CASE("a root file system in any compression becomes an image of one layer", "[image]") {
  for (const auto compression : {image::Compression::none, image::Compression::gzip, image::Compression::zstd,
                                 image::Compression::bzip2, image::Compression::xz}) {
    const Sandbox box;
    Tar tar(compression);
    tar.directory("bin").file("bin/sh", "#!", {0755});
    image::ImportOptions options;
    options.changes = {"CMD [\"sh\"]", "ENV A=1"};
    options.message = "made by hand";
    const image::Loaded loaded = image::import_rootfs(box.data.string(), box.write("rootfs", tar.bytes()), "mine:1", options);
    const image::Image image = box.store().find("mine:1");
    CHECK(image.config_digest == loaded.id);
    CHECK(image.config.command == std::vector<std::string>{"sh"});
    CHECK(image.config.architecture == image::machine_architecture());
    CHECK(box.store().history("mine:1").at(0).comment == "made by hand");
    CHECK(fs::exists(fs::path(image.layers.at(0)) / "bin/sh"));
    const bool kept = compression != image::Compression::bzip2 && compression != image::Compression::xz;
    CHECK((image.layer_digests.at(0) == image::sha256_digest(tar.bytes())) == kept);  // OCI knows no media type for the other two
  }
}

TEST_CASE("a damaged record is named with the remedy", "[image]") {
  const Sandbox box;
  box.load(DockerArchive{{tar_with("a", "1")}}.bytes());
  std::ofstream(box.data / "references/test:latest.json") << "{";
  CHECK(box.refusal([&] { box.store().find("test"); }).find("load the image again") != std::string::npos);
}
