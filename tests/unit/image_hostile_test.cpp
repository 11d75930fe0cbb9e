// Archives that mean harm, each refused with a sentence, with nothing outside the store touched and nothing of them kept.
#include "support/image_archives.hpp"
#include "support/needs.hpp"

using namespace drydock;
using namespace drydock::test;

namespace {

std::string with_outside(const Sandbox& box, const std::string& name) {
  return box.outside() + "/" + name;
}

}  // namespace

TEST_CASE("a name with .. is refused", "[image]") {
  for (const char* name : {"../evil", "a/../../evil", "..", "a/..", "/../evil", "a/b/../../../evil"}) {
    Tar tar;
    tar.directory("a").file(name, "evil");
    expect_refusal(tar, "leads out of the layer");
  }
}

TEST_CASE("an absolute name is a name inside the layer", "[image]") {
  const Sandbox box;
  Tar tar;
  tar.file(with_outside(box, "file"), "overwritten").file("//double", "x");
  const std::string layer = tar.bytes();
  box.load(DockerArchive{{layer}}.bytes());
  CHECK(sys::read_file(with_outside(box, "file")) == "precious");
  CHECK(sys::read_file(box.layer(image::sha256_digest(layer)).string() + with_outside(box, "file")) == "overwritten");
  CHECK(fs::exists(box.layer(image::sha256_digest(layer)) / "double"));
}

TEST_CASE("a symbolic link is never written through to the outside", "[image]") {
  const Sandbox box;
  for (const std::string& target :
       {box.outside(), std::string("../../../../../../../../../..") + box.outside(), box.outside() + "/directory/.."}) {
    Tar tar;
    tar.symlink("link", target).file("link/file", "evil");
    const std::string sentence = box.refusal([&] { box.load(DockerArchive{{tar.bytes()}}.bytes()); });
    CHECK(sentence.find("leads nowhere inside the layer") != std::string::npos);
    box.check_untouched();
  }
}

TEST_CASE("a symbolic link that an entry replaces is replaced, not followed", "[image]") {
  const Sandbox box;
  Tar tar;
  tar.symlink("file", with_outside(box, "file")).file("file", "mine");
  tar.symlink("dir", with_outside(box, "directory")).directory("dir", {0700}).file("dir/inner", "mine");
  tar.symlink("fifo", with_outside(box, "file")).fifo("fifo");
  const std::string layer = tar.bytes();
  box.load(DockerArchive{{layer}}.bytes());
  const fs::path root = box.layer(image::sha256_digest(layer));
  CHECK(sys::read_file(with_outside(box, "file")) == "precious");
  CHECK(sys::read_file(with_outside(box, "directory/inner")) == "precious too");
  CHECK(fs::is_regular_file(fs::symlink_status(root / "file")));
  CHECK(fs::is_directory(fs::symlink_status(root / "dir")));
  CHECK(fs::is_fifo(fs::symlink_status(root / "fifo")));
}

TEST_CASE("a link that is made while its directory is in use does not lead out", "[image]") {
  // The directory is opened for the first file; then it becomes a link to the outside, and the next file must see that.
  const Sandbox box;
  Tar tar;
  tar.directory("d").file("d/one", "1").symlink("d", box.outside() + "/directory").file("d/inner", "evil");
  const std::string sentence = box.refusal([&] { box.load(DockerArchive{{tar.bytes()}}.bytes()); });
  CHECK(sentence.find("leads nowhere inside the layer") != std::string::npos);
  box.check_untouched();
}

TEST_CASE("absolute and climbing links resolve inside the layer as in the container", "[image]") {
  const Sandbox box;
  Tar tar;
  tar.directory("run").symlink("var/run", "/run").symlink("up", "../../../../run").file("var/run/a", "1").file("up/b", "2");
  const std::string layer = tar.bytes();
  box.load(DockerArchive{{layer}}.bytes());
  const fs::path root = box.layer(image::sha256_digest(layer));
  CHECK(sys::read_file((root / "run" / "a").string()) == "1");
  CHECK(sys::read_file((root / "run" / "b").string()) == "2");
}

TEST_CASE("a hard link out of the layer is refused", "[image]") {
  const Sandbox box;
  for (const std::string& target : {with_outside(box, "file"), std::string("/etc/passwd"), std::string("missing")}) {
    Tar tar;
    tar.hard_link("link", target);
    expect_refusal(tar, "which is not in this layer");
  }
  Tar climbing;
  climbing.hard_link("link", "../../outside/file");
  expect_refusal(climbing, "leads out of the layer");
  Tar through;
  through.symlink("out", box.outside()).hard_link("link", "out/file");
  expect_refusal(through, "which is not in this layer");
  Tar directory;
  directory.directory("d").hard_link("link", "d");
  expect_refusal(directory, "hard link to a directory");
}

TEST_CASE("a hard link to a symbolic link links the symbolic link", "[image]") {
  const Sandbox box;
  Tar tar;
  tar.symlink("soft", with_outside(box, "file")).hard_link("hard", "soft").file("hard", "mine");
  const std::string layer = tar.bytes();
  box.load(DockerArchive{{layer}}.bytes());
  CHECK(sys::read_file(with_outside(box, "file")) == "precious");
  CHECK(fs::is_symlink(fs::symlink_status(box.layer(image::sha256_digest(layer)) / "soft")));
}

TEST_CASE("device nodes are refused, and those every /dev has are left out", "[image]") {
  for (const auto& [character, device_major, device_minor] :
       {std::tuple(false, 8u, 0u), std::tuple(true, 1u, 1u), std::tuple(false, 1u, 3u)}) {
    Tar tar;
    tar.device("dev/evil", character, device_major, device_minor);
    expect_refusal(tar, "device (" + std::to_string(device_major) + ":" + std::to_string(device_minor) + ")");
  }
  Tar elsewhere;
  elsewhere.device("tmp/null", true, 1, 3);
  expect_refusal(elsewhere, "character device (1:3)");

  const Sandbox box;
  Tar tar;
  tar.directory("dev").device("dev/null", true, 1, 3).device("dev/tty", true, 5, 0);
  const std::string layer = tar.bytes();
  const auto loaded = box.load(DockerArchive{{layer}}.bytes());
  CHECK(loaded.at(0).devices_left_out == 2);
  CHECK(fs::is_empty(box.layer(image::sha256_digest(layer)) / "dev"));
}

TEST_CASE("a whiteout of . or .. is refused", "[image]") {
  for (const char* name : {".wh...", "a/.wh...", ".wh..", ".wh."}) {
    Tar tar;
    tar.directory("a").file(name, "");
    expect_refusal(tar, "is a whiteout of");
  }
  Tar below;
  below.file(".wh.a/b", "");
  expect_refusal(below, "lies below a whiteout");
}

TEST_CASE("names that lead out of the archive are refused", "[image]") {
  const Sandbox box;
  Tar tar;
  tar.file("manifest.json",
           json::array({{{"Config", "../outside/file"}, {"RepoTags", json::array()}, {"Layers", json::array()}}}).dump());
  CHECK(box.refusal([&] { box.load(tar.bytes()); }).find("'..'") != std::string::npos);
  OciLayout layout;
  Tar layer;
  layer.file("a", "1");
  const std::string bytes = layer.bytes();
  layout.image({{bytes, image::sha256_digest(bytes), "application/vnd.oci.image.layer.v1.tar"}}, "t:1");
  layout.write(box.path / "layout");
  const fs::path blob = box.path / "layout" / "blobs" / "sha256" / image::sha256_digest(bytes).substr(7);
  fs::remove(blob);
  fs::create_symlink(box.outside() + "/file", blob);  // an OCI directory whose blob is a link to a file of the host
  CHECK(box.refusal([&] { image::load_images(box.data.string(), (box.path / "layout").string(), {}); }).find("has no file") !=
        std::string::npos);
  fs::remove(blob);
  REQUIRE(::mkfifo(blob.c_str(), 0600) == 0);  // or a pipe that would keep the reader waiting for ever
  CHECK(box.refusal([&] { image::load_images(box.data.string(), (box.path / "layout").string(), {}); }).find("no regular file") !=
        std::string::npos);
  box.check_untouched();
}

TEST_CASE("links of an archive that go round in circles are refused", "[image]") {
  const Sandbox box;
  Tar tar;
  tar.symlink("a", "b").symlink("b", "a").file("manifest.json",
                                               json::array({{{"Config", "a"}, {"Layers", json::array()}}}).dump());
  CHECK(box.refusal([&] { box.load(tar.bytes()); }).find("has no file 'a'") != std::string::npos);
  Tar layer;
  layer.symlink("a", "b").symlink("b", "a").file("a/x", "1");
  CHECK(box.refusal([&] { box.load(DockerArchive{{layer.bytes()}}.bytes()); }).find("loop of symbolic links") !=
        std::string::npos);
  box.check_untouched();
}

TEST_CASE("absurd names, owners and sizes are refused", "[image]") {
  Tar component;
  component.file(std::string(256, 'n'), "1");
  expect_refusal(component, "more than 255 bytes");
  Tar path;
  std::string deep;
  for (int i = 0; i < 3000; ++i) deep += "d/";
  path.file(deep + "f", "1");
  expect_refusal(path, "more than 4,095 bytes");
  Tar owner;
  owner.file("f", "1", {0644, 0xffffffff, 0});
  expect_refusal(owner, "impossible owner");
  Tar root;
  root.symlink("/", "/etc");
  expect_refusal(root, "root of the layer");
  Tar control;
  control.file("../\x1b[2J\n", "1");
  expect_refusal(control, "\\x1b[2J\\x0a");
}

TEST_CASE("extended attributes that steer the overlay are not taken over", "[image]") {
  const Sandbox box;
  Tar tar;
  tar.directory(
      "d",
      {0755, 0, 0, 1, {{"trusted.overlay.redirect", "/../../outside"}, {"user.overlay.opaque", "y"}, {"user.note", "kept"}}});
  const std::string layer = tar.bytes();
  box.load(DockerArchive{{layer}}.bytes());
  const fs::path d = box.layer(image::sha256_digest(layer)) / "d";
  char value[64];
  CHECK(::getxattr(d.c_str(), "trusted.overlay.redirect", value, sizeof value) < 0);
  CHECK(::getxattr(d.c_str(), "user.overlay.opaque", value, sizeof value) < 0);
}

TEST_CASE("deep trees of a refused archive are removed again", "[image]") {
  // Through links a layer can nest deeper than any path is long.
  const Sandbox box;
  Tar tar;
  std::string deep = "a";
  for (int i = 0; i < 1500; ++i) deep += "/a";
  tar.directory(deep).symlink("l", deep);
  for (int i = 0; i < 3; ++i) {
    tar.directory("l/" + deep.substr(0, 2000));
    tar.symlink("l", "l/" + deep.substr(0, 2000));
  }
  tar.file("../evil", "1");
  (void)box.refusal([&] { box.load(DockerArchive{{tar.bytes()}}.bytes()); });
  box.check_untouched();
}
