// Archives that mean harm, each refused with a sentence, with nothing outside the store touched and nothing of them kept.
#include <sys/sysmacros.h>

#include "support/image_archives.hpp"
#include "support/needs.hpp"

using namespace drydock;
using namespace drydock::test;

namespace {

// Loads one layer in a docker archive and expects a refusal that contains `words`.
void refused(Tar& tar, const std::string& words, const image::LoadOptions& options = {}) {
  const Sandbox box;
  const std::string archive = DockerArchive{{tar.bytes()}}.bytes();
  const std::string sentence = box.refusal([&] { box.load(archive, options); });
  INFO(sentence);
  CHECK(sentence.find(words) != std::string::npos);
  CHECK(sentence.find('\n') == std::string::npos);
  box.check_untouched();
}

std::string with_outside(const Sandbox& box, const std::string& name) {
  return box.outside() + "/" + name;
}

}  // namespace

TEST_CASE("a name with .. is refused", "[image]") {
  for (const char* name : {"../evil", "a/../../evil", "..", "a/..", "/../evil", "a/b/../../../evil"}) {
    Tar tar;
    tar.directory("a").file(name, "evil");
    refused(tar, "leads out of the layer");
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
  for (const std::string& target : {box.outside(), std::string("../../../../../../../../../..") + box.outside(), box.outside() + "/directory/.."}) {
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
    refused(tar, "which is not in this layer");
  }
  Tar climbing;
  climbing.hard_link("link", "../../outside/file");
  refused(climbing, "leads out of the layer");
  Tar through;
  through.symlink("out", box.outside()).hard_link("link", "out/file");
  refused(through, "which is not in this layer");
  Tar directory;
  directory.directory("d").hard_link("link", "d");
  refused(directory, "hard link to a directory");
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
  for (const auto& [character, device_major, device_minor] : {std::tuple(false, 8u, 0u), std::tuple(true, 1u, 1u), std::tuple(false, 1u, 3u)}) {
    Tar tar;
    tar.device("dev/evil", character, device_major, device_minor);
    refused(tar, "device (" + std::to_string(device_major) + ":" + std::to_string(device_minor) + ")");
  }
  Tar elsewhere;
  elsewhere.device("tmp/null", true, 1, 3);
  refused(elsewhere, "character device (1:3)");

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
    refused(tar, "is a whiteout of");
  }
  Tar below;
  below.file(".wh.a/b", "");
  refused(below, "lies below a whiteout");
}

TEST_CASE("a sparse file of 10 GB is refused before a byte of it is written", "[image]") {
  Tar tar;
  tar.sparse("big", 10'000'000'000);
  refused(tar, "it unpacks to more than 8192 MiB");
}

TEST_CASE("the limit on size counts all layers together", "[image]") {
  Tar one, two;
  one.file("one", std::string(600'000, 'x'));
  two.file("two", std::string(600'000, 'y'));
  const Sandbox box;
  image::LoadOptions options;
  options.limits.bytes = 1'000'000;
  const std::string archive = DockerArchive{{one.bytes(), two.bytes()}}.bytes();
  const std::string sentence = box.refusal([&] { box.load(archive, options); });
  CHECK(sentence.find("--max-size") != std::string::npos);
  box.check_untouched();
  options.limits.bytes = 1'200'000;
  CHECK(box.load(archive, options).size() == 1);
}

TEST_CASE("too many entries are refused", "[image]") {
  Tar tar;
  for (int i = 0; i < 200; ++i) tar.directory("d" + std::to_string(i));
  image::LoadOptions options;
  options.limits.entries = 100;
  refused(tar, "more than 100 entries", options);
}

TEST_CASE("a compression bomb is refused", "[image]") {
  for (const image::Compression compression : {image::Compression::gzip, image::Compression::zstd}) {
    Tar bomb(compression);
    bomb.file("zeros", std::string(24u << 20, '\0'));
    const std::string layer = bomb.bytes();
    REQUIRE(layer.size() < 100'000);
    const Sandbox box;
    image::LoadOptions options;
    options.limits.ratio_from = 4u << 20;  // the default, 256 MiB, would only make the test slow
    const std::string sentence = box.refusal([&] { box.load(DockerArchive{{layer}, {"sha256:" + std::string(64, '0')}}.bytes(), options); });
    INFO(sentence);
    CHECK(sentence.find("compression bomb") != std::string::npos);
    box.check_untouched();
  }
}

TEST_CASE("a bomb behind the end of the tar, and one around the archive, are refused too", "[image]") {
  Tar small;
  small.file("a", "1");
  const std::string tail = small.bytes() + std::string(24u << 20, '\0');
  const Sandbox box;
  std::string squeezed;
  // The compressed form of bytes that are no tar of one entry only: a raw gzip stream.
  archive* writer = archive_write_new();
  archive_write_add_filter_gzip(writer);
  archive_write_set_format_raw(writer);
  struct Sink {
    static la_ssize_t append(archive*, void* to, const void* data, std::size_t size) {
      static_cast<std::string*>(to)->append(static_cast<const char*>(data), size);
      return static_cast<la_ssize_t>(size);
    }
  };
  archive_write_open(writer, &squeezed, nullptr, Sink::append, nullptr);
  archive_entry* entry = archive_entry_new();
  archive_entry_set_filetype(entry, AE_IFREG);
  archive_write_header(writer, entry);
  archive_write_data(writer, tail.data(), tail.size());
  archive_entry_free(entry);
  archive_write_free(writer);
  image::LoadOptions options;
  options.limits.ratio_from = 4u << 20;
  CHECK(box.refusal([&] { box.load(DockerArchive{{squeezed}, {image::sha256_digest(tail)}}.bytes(), options); }).find("bomb") != std::string::npos);
  CHECK(box.refusal([&] { box.load(squeezed, options); }).find("bomb") != std::string::npos);
  box.check_untouched();
}

TEST_CASE("truncated archives are refused wherever they break off", "[image]") {
  Tar layer;
  layer.file("a", std::string(5000, 'a')).file("b", std::string(5000, 'b'));
  const std::string archive = DockerArchive{{layer.bytes()}}.bytes();
  int tried = 0;
  for (std::size_t size = 0; size + 1024 < archive.size(); size += 509) {  // the last 1,024 bytes are only the end marker
    const Sandbox box;
    const std::string sentence = box.refusal([&] { box.load(archive.substr(0, size)); });
    CHECK_FALSE(sentence.empty());
    box.check_untouched();
    ++tried;
  }
  CHECK(tried > 20);
}

TEST_CASE("a truncated or damaged compressed layer is refused", "[image]") {
  Tar plain;
  Tar packed(image::Compression::gzip);
  std::string noise;
  for (int i = 0; i < 40'000; ++i) noise += static_cast<char>((i * 7919) >> 5);
  plain.file("a", noise);
  packed.file("a", noise);
  const std::string diff_id = image::sha256_digest(plain.bytes());
  const std::string layer = packed.bytes();
  const Sandbox box;
  const std::string half = box.refusal([&] { box.load(DockerArchive{{layer.substr(0, layer.size() / 2)}, {diff_id}}.bytes()); });
  CHECK(half.find("truncated or damaged") != std::string::npos);
  std::string flipped = layer;
  flipped[flipped.size() / 2] ^= 0x10;
  (void)box.refusal([&] { box.load(DockerArchive{{flipped}, {diff_id}}.bytes()); });
  box.check_untouched();
}

TEST_CASE("wrong digests are refused: of a layer's content, of a blob, of a manifest, of a configuration", "[image]") {
  Tar tar;
  tar.file("a", "1");
  const std::string layer = tar.bytes();
  const Sandbox box;
  const std::string wrong = "sha256:" + std::string(64, '1');
  CHECK(box.refusal([&] { box.load(DockerArchive{{layer}, {wrong}}.bytes()); }).find("instead of " + wrong) != std::string::npos);
  CHECK(box.refusal([&] { box.load(DockerArchive{{layer}, {}, {"t:1"}, std::string(64, '2') + ".json"}.bytes()); }).find("hashes to") !=
        std::string::npos);
  OciLayout good;
  const std::string manifest = good.image({{layer, image::sha256_digest(layer), "application/vnd.oci.image.layer.v1.tar"}}, "t:1");
  for (const auto& [name, content] : good.files) {
    if (!name.starts_with("blobs/")) continue;
    OciLayout bad = good;
    bad.files[name] = content + " ";
    CHECK(box.refusal([&] { box.load(bad.bytes()); }).find("instead of sha256:" + name.substr(13)) != std::string::npos);
  }
  box.check_untouched();
}

TEST_CASE("digests that are paths are refused", "[image]") {
  const Sandbox box;
  for (const char* digest : {"sha256:../../../../outside/file", "sha256:ABCDEF", "md5:d41d8cd98f00b204e9800998ecf8427e", "sha256:"}) {
    Tar tar;
    tar.file("a", "1");
    CHECK_FALSE(box.refusal([&] { box.load(DockerArchive{{tar.bytes()}, {digest}}.bytes()); }).empty());
  }
  box.check_untouched();
}

TEST_CASE("names that lead out of the archive are refused", "[image]") {
  const Sandbox box;
  Tar tar;
  tar.file("manifest.json", json::array({{{"Config", "../outside/file"}, {"RepoTags", json::array()}, {"Layers", json::array()}}}).dump());
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
  CHECK(box.refusal([&] { image::load_images(box.data.string(), (box.path / "layout").string(), {}); }).find("has no file") != std::string::npos);
  fs::remove(blob);
  REQUIRE(::mkfifo(blob.c_str(), 0600) == 0);  // or a pipe that would keep the reader waiting for ever
  CHECK(box.refusal([&] { image::load_images(box.data.string(), (box.path / "layout").string(), {}); }).find("no regular file") != std::string::npos);
  box.check_untouched();
}

TEST_CASE("links of an archive that go round in circles are refused", "[image]") {
  const Sandbox box;
  Tar tar;
  tar.symlink("a", "b").symlink("b", "a").file("manifest.json", json::array({{{"Config", "a"}, {"Layers", json::array()}}}).dump());
  CHECK(box.refusal([&] { box.load(tar.bytes()); }).find("has no file 'a'") != std::string::npos);
  Tar layer;
  layer.symlink("a", "b").symlink("b", "a").file("a/x", "1");
  CHECK(box.refusal([&] { box.load(DockerArchive{{layer.bytes()}}.bytes()); }).find("loop of symbolic links") != std::string::npos);
  box.check_untouched();
}

TEST_CASE("absurd names, owners and sizes are refused", "[image]") {
  Tar component;
  component.file(std::string(256, 'n'), "1");
  refused(component, "more than 255 bytes");
  Tar path;
  std::string deep;
  for (int i = 0; i < 3000; ++i) deep += "d/";
  path.file(deep + "f", "1");
  refused(path, "more than 4,095 bytes");
  Tar owner;
  owner.file("f", "1", {0644, 0xffffffff, 0});
  refused(owner, "impossible owner");
  Tar root;
  root.symlink("/", "/etc");
  refused(root, "root of the layer");
  Tar control;
  control.file("../\x1b[2J\n", "1");
  refused(control, "\\x1b[2J\\x0a");
}

TEST_CASE("extended attributes that steer the overlay are not taken over", "[image]") {
  const Sandbox box;
  Tar tar;
  tar.directory("d", {0755, 0, 0, 1, {{"trusted.overlay.redirect", "/../../outside"}, {"user.overlay.opaque", "y"}, {"user.note", "kept"}}});
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

TEST_CASE("what is no image archive is refused with the right advice", "[image]") {
  const Sandbox box;
  Tar rootfs;
  rootfs.file("bin/sh", "1");
  CHECK(box.refusal([&] { box.load(rootfs.bytes()); }).find("drydock image import") != std::string::npos);
  CHECK(box.refusal([&] { box.load("this is a text"); }).find("no tar archive") != std::string::npos);
  CHECK_FALSE(box.refusal([&] { box.load(""); }).empty());
  Tar layer;
  layer.file("a", "1");
  const std::string file = box.write("image.tar", DockerArchive{{layer.bytes()}}.bytes());
  CHECK(box.refusal([&] { image::import_rootfs(box.data.string(), file, "x", {}); }).find("drydock image load") != std::string::npos);
  for (const char* text : {"[]", "{}", "[{}]", "[{\"Config\":7}]", "not json", "[{\"Config\":\"c\",\"Layers\":{}}]", "null"}) {
    Tar tar;
    tar.file("manifest.json", text).file("c", "{\"rootfs\":{\"diff_ids\":[]}}");
    INFO(text);
    const std::string archive = tar.bytes();
    CHECK_FALSE(box.refusal([&] { box.load(archive); }).empty());
  }
  box.check_untouched();
}
