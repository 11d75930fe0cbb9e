// One layer on disk: names, links, modes, times, whiteouts in the form that overlayfs wants.
#include <sys/xattr.h>

#include "support/image_archives.hpp"
#include "support/needs.hpp"

using namespace drydock;
using namespace drydock::test;

namespace {

struct Layer {
  Sandbox box;
  fs::path root;

  explicit Layer(Tar& tar) {
    const std::string bytes = tar.bytes();
    box.load(DockerArchive{{bytes}}.bytes());
    root = box.layer(image::sha256_digest(bytes));
  }
  struct stat status(const std::string& name) const {
    struct stat found;
    REQUIRE(::lstat((root / name).c_str(), &found) == 0);
    return found;
  }
  bool whiteout(const std::string& name) const {
    const struct stat found = status(name);
    return S_ISCHR(found.st_mode) && found.st_rdev == 0;
  }
  bool opaque(const std::string& name) const {
    char value[8];
    for (const char* key : {"trusted.overlay.opaque", "user.overlay.opaque"})
      if (::getxattr((root / name).c_str(), key, value, sizeof value) == 1 && value[0] == 'y') return true;
    return false;
  }
};

}  // namespace

TEST_CASE("files, directories and links arrive with mode and time", "[image]") {
  Tar tar;
  tar.directory("./", {0750, 0, 0, 900'000'000})
      .directory("d", {01777, 0, 0, 800'000'000})
      .file("d/f", "text", {04755, 0, 0, 700'000'000});
  tar.symlink("l", "d/f").hard_link("h", "d/f").fifo("p").file("implied/parents/f", "x");
  tar.directory("locked", {0555, 0, 0, 600'000'000}).file("locked/in", "x");
  const Layer layer(tar);
  CHECK((layer.status("").st_mode & 07777) == 0750);
  CHECK(layer.status("").st_mtim.tv_sec == 900'000'000);
  CHECK((layer.status("d").st_mode & 07777) == 01777);
  CHECK(layer.status("d").st_mtim.tv_sec == 800'000'000);  // although files were made in it later
  CHECK((layer.status("d/f").st_mode & 07777) == 04755);
  CHECK(layer.status("d/f").st_mtim.tv_sec == 700'000'000);
  CHECK(layer.status("h").st_ino == layer.status("d/f").st_ino);
  CHECK(fs::read_symlink(layer.root / "l") == "d/f");
  CHECK(S_ISFIFO(layer.status("p").st_mode));
  CHECK((layer.status("implied/parents").st_mode & 07777) == 0755);
  CHECK((layer.status("locked").st_mode & 07777) == 0555);
}

TEST_CASE("the umask of the importing shell does not reach into layers", "[image]") {
  const mode_t before = ::umask(0077);
  Tar tar;
  tar.file("implied/f", "x", {0666}).fifo("p").directory("d", {0777});
  const Layer layer(tar);
  ::umask(before);
  CHECK((layer.status("").st_mode & 07777) == 0755);
  CHECK((layer.status("implied").st_mode & 07777) == 0755);
  CHECK((layer.status("implied/f").st_mode & 07777) == 0666);
  CHECK((layer.status("p").st_mode & 07777) == 0644);
  CHECK((layer.status("d").st_mode & 07777) == 0777);
}

TEST_CASE("names that are not ASCII, not UTF-8, very long, or hold a newline", "[image]") {
  const std::string names[] = {"größe/日本", "latin\xe4", std::string(255, 'n'), "new\nline", " ", "-rf", "*", "a=b"};
  Tar tar;
  for (const std::string& name : names) tar.file(name, name);
  const Layer layer(tar);
  for (const std::string& name : names) CHECK(sys::read_file((layer.root / name).string()) == name);
}

TEST_CASE("whiteouts become devices 0:0 and opaque directories get the attribute", "[image][N0-099]") {
  Tar tar;
  tar.directory("d")
      .file("d/.wh.gone", "")
      .file("d/.wh..wh..opq", "")
      .file(".wh.top", "")
      .file(".wh..wh.plnk/1.2", "x")
      .file(".wh..wh.aufs", "x");
  const Layer layer(tar);
  CHECK(layer.whiteout("d/gone"));
  CHECK(layer.whiteout("top"));
  CHECK(layer.opaque("d"));
  CHECK_FALSE(fs::exists(layer.root / "d/.wh.gone"));
  CHECK(std::distance(fs::directory_iterator(layer.root), fs::directory_iterator()) == 2);  // aufs' own notes are not content
}

TEST_CASE("a whiteout speaks of lower layers only, wherever it stands", "[image]") {
  Tar tar;
  tar.file("before", "kept").file(".wh.before", "").file(".wh.after", "").file("after", "kept");
  tar.directory("dir-before").file("dir-before/x", "kept").file(".wh.dir-before", "");
  tar.file(".wh.dir-after", "").directory("dir-after").file("dir-after/x", "kept");
  const Layer layer(tar);
  CHECK(sys::read_file((layer.root / "before").string()) == "kept");
  CHECK(sys::read_file((layer.root / "after").string()) == "kept");
  for (const char* name : {"dir-before", "dir-after"}) {
    CHECK(sys::read_file((layer.root / name / "x").string()) == "kept");
    CHECK(layer.opaque(name));  // a directory made anew shows nothing of the one that was deleted
  }
}

TEST_CASE("later entries replace earlier ones of any kind", "[image]") {
  Tar tar;
  tar.file("a", "first, and longer").file("a", "second").directory("b").file("b/x", "1").file("b", "file");
  tar.file("c", "file").directory("c").file("c/x", "1").symlink("e", "c").symlink("e", "a").directory("c", {0700});
  const Layer layer(tar);
  CHECK(sys::read_file((layer.root / "a").string()) == "second");
  CHECK(sys::read_file((layer.root / "b").string()) == "file");
  CHECK(sys::read_file((layer.root / "c/x").string()) == "1");  // a directory over a directory keeps what is in it
  CHECK((layer.status("c").st_mode & 07777) == 0700);
  CHECK(fs::read_symlink(layer.root / "e") == "a");
}

TEST_CASE("a layer whose root may not be written is kept and removed all the same", "[image]") {
  const Sandbox box;
  Tar tar;
  tar.directory("./", {0555}).file("f", "x");
  box.load(DockerArchive{{tar.bytes()}}.bytes());
  const image::Image image = image::Store(box.data.string()).find("test");
  CHECK((fs::status(image.layers.at(0)).permissions() & fs::perms::all) == static_cast<fs::perms>(0555));
  image::Editor(box.data.string(), {}).remove("test");
  box.check_untouched();
}

TEST_CASE("sparse files stay sparse", "[image]") {
  Tar tar;
  tar.sparse("big", 1 << 30);
  const Layer layer(tar);
  CHECK(layer.status("big").st_size == 1 << 30);
  CHECK(layer.status("big").st_blocks * 512 < 1 << 20);
}

TEST_CASE("an empty layer is a layer", "[image]") {
  const std::string zeros(1024, '\0');  // docker's well-known empty tar
  const Sandbox box;
  box.load(DockerArchive{{zeros}}.bytes());
  CHECK(image::sha256_digest(zeros) == "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef");
  CHECK(fs::is_empty(box.layer(image::sha256_digest(zeros))));
}
