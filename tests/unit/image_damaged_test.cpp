// Archives that are too large, broken off, or not what their digests say: refused with a sentence, and nothing of them stays.
#include "support/image_archives.hpp"
#include "support/needs.hpp"

using namespace drydock;
using namespace drydock::test;

TEST_CASE("a sparse file of 10 GB is refused before a byte of it is written", "[image]") {
  Tar tar;
  tar.sparse("big", 10'000'000'000);
  expect_refusal(tar, "it unpacks to more than 8192 MiB");
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
  expect_refusal(tar, "more than 100 entries", options);
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
    const std::string sentence = box.refusal([&] {
      box.load(DockerArchive{{layer}, {"sha256:" + std::string(64, '0')}}.bytes(), options);
    });
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
  CHECK(box.refusal([&] {
             box.load(DockerArchive{{squeezed}, {image::sha256_digest(tail)}}.bytes(), options);
           })
            .find("bomb") != std::string::npos);
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
  CHECK(box.refusal([&] {
             box.load(DockerArchive{{layer}, {}, {"t:1"}, std::string(64, '2') + ".json"}.bytes());
           })
            .find("hashes to") != std::string::npos);
  OciLayout good;
  const std::string manifest =
      good.image({{layer, image::sha256_digest(layer), "application/vnd.oci.image.layer.v1.tar"}}, "t:1");
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
  for (const char* digest :
       {"sha256:../../../../outside/file", "sha256:ABCDEF", "md5:d41d8cd98f00b204e9800998ecf8427e", "sha256:"}) {
    Tar tar;
    tar.file("a", "1");
    CHECK_FALSE(box.refusal([&] { box.load(DockerArchive{{tar.bytes()}, {digest}}.bytes()); }).empty());
  }
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
  CHECK(box.refusal([&] { image::import_rootfs(box.data.string(), file, "x", {}); }).find("drydock image load") !=
        std::string::npos);
  for (const char* text : {"[]", "{}", "[{}]", "[{\"Config\":7}]", "not json", "[{\"Config\":\"c\",\"Layers\":{}}]", "null"}) {
    Tar tar;
    tar.file("manifest.json", text).file("c", "{\"rootfs\":{\"diff_ids\":[]}}");
    INFO(text);
    const std::string archive = tar.bytes();
    CHECK_FALSE(box.refusal([&] { box.load(archive); }).empty());
  }
  box.check_untouched();
}
