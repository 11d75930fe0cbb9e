// The store with the kernel's eyes: overlayfs over unpacked layers, owners and capabilities, killed and parallel imports.
#include <signal.h>
#include <spawn.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include <drydock/image/archive/editor.hpp>

#include "support/forked.hpp"
#include "support/image_archives.hpp"
#include "support/needs.hpp"

using namespace drydock;
using namespace drydock::test;

namespace {

// Without its standard output; with `silent` without its standard error too.
pid_t start(const std::vector<std::string>& words, bool silent = false) {
  std::vector<char*> arguments;
  std::vector<std::string> copy = words;
  for (std::string& word : copy) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  if (silent) posix_spawn_file_actions_adddup2(&actions, 1, 2);
  pid_t pid = 0;
  REQUIRE(::posix_spawn(&pid, words.at(0).c_str(), &actions, nullptr, arguments.data(), environ) == 0);
  posix_spawn_file_actions_destroy(&actions);
  return pid;
}

int end_of(pid_t pid) {
  int status = 0;
  REQUIRE(::waitpid(pid, &status, 0) == pid);
  return status;
}

const std::string program = std::string(DRYDOCK_BIN_DIR) + "/drydock-image";

// A read-only overlay of an image's layers, in a mount namespace that ends with the process that looks.
template <typename Look>
int in_overlay(const image::Image& image, const fs::path& target, Look look) {
  std::string lower;
  for (auto layer = image.layers.rbegin(); layer != image.layers.rend(); ++layer) lower += (lower.empty() ? "" : ":") + *layer;
  fs::create_directories(target);
  const pid_t child = forked();
  if (child == 0) {
    const bool mounted = ::unshare(CLONE_NEWNS) == 0 && ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                         ::mount("overlay", target.c_str(), "overlay", MS_RDONLY, ("lowerdir=" + lower).c_str()) == 0;
    ::_exit(mounted ? look(target) : 100);
  }
  return WEXITSTATUS(end_of(child));
}

}  // namespace

TEST_CASE("overlayfs shows what the layers mean", "[image][N0-096][N0-099]") {
  if (sys::geteuid() != 0) DRYDOCK_SKIP("not root; run with sudo");
  const Sandbox box;
  Tar lower, upper;
  lower.directory("d")
      .file("d/old", "1")
      .directory("gone")
      .file("gone/x", "1")
      .file("removed", "1")
      .directory("again")
      .file("again/old", "1")
      .file("stays", "1");
  upper.directory("d").file("d/.wh..wh..opq", "").file("d/new", "2").file(".wh.gone", "").file(".wh.removed", "");
  upper.file(".wh.again", "").directory("again").file("again/new", "2");
  box.load(DockerArchive{{lower.bytes(), upper.bytes()}}.bytes());
  const image::Image image = image::Store(box.data.string()).find("test");
  const int failed = in_overlay(image, box.path / "merged", [](const fs::path& root) {
    if (fs::exists(root / "d/old") || !fs::exists(root / "d/new")) return 1;
    if (fs::exists(root / "gone")) return 2;
    if (fs::exists(root / "removed")) return 3;
    if (fs::exists(root / "again/old") || !fs::exists(root / "again/new")) return 4;
    if (!fs::exists(root / "stays")) return 5;
    return 0;
  });
  CHECK(failed == 0);
}

TEST_CASE("owners and file capabilities arrive, setuid survives the change of owner", "[image]") {
  if (sys::geteuid() != 0) DRYDOCK_SKIP("not root; run with sudo");
  const Sandbox box;
  // struct vfs_ns_cap_data, revision 2: CAP_NET_RAW, permitted and effective.
  const std::string capability("\x01\x00\x00\x02\x00\x20\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", 20);
  Tar tar;
  tar.directory("home", {0700, 1000, 1001})
      .file("home/f", "x", {04711, 1000, 4'000'000'000})
      .file("ping", "x", {0755, 7, 7, 1, {{"security.capability", capability}}});
  const std::string bytes = tar.bytes();
  box.load(DockerArchive{{bytes}}.bytes());
  const fs::path root = box.layer(image::sha256_digest(bytes));
  struct stat status;
  REQUIRE(::lstat((root / "home").c_str(), &status) == 0);
  CHECK(status.st_uid == 1000);
  CHECK(status.st_gid == 1001);
  CHECK((status.st_mode & 07777) == 0700);
  REQUIRE(::lstat((root / "home/f").c_str(), &status) == 0);
  CHECK(status.st_gid == 4'000'000'000u);
  CHECK((status.st_mode & 07777) == 04711);
  char value[64];
  REQUIRE(::getxattr((root / "ping").c_str(), "security.capability", value, sizeof value) == 20);
  CHECK(std::string(value, 20) == capability);
  REQUIRE(::lstat((box.data / "layers").c_str(), &status) == 0);
  CHECK((status.st_mode & 077) == 0);  // nobody else reaches setuid programs of images (CVE-2021-41091)
}

TEST_CASE("an import killed at any moment leaves nothing after the next", "[image]") {
  if (!fs::exists(program)) DRYDOCK_SKIP("drydock-image is not built; build all of drydock");
  const Sandbox box;
  Tar layer;
  for (int i = 0; i < 300; ++i)
    layer.file("d" + std::to_string(i % 20) + "/f" + std::to_string(i), std::string(20'000, static_cast<char>('a' + i % 26)));
  DockerArchive archive{{layer.bytes()}};
  const std::string file = box.write("image.tar", archive.bytes());
  const std::string data = box.data.string();
  unsigned killed = 0, whole = 0;
  for (unsigned round = 0; round < 40; ++round) {
    const pid_t pid = start({program, "load", "-i", file, "--root", data});
    ::usleep((round * 1237) % 30'000);
    ::kill(pid, SIGKILL);
    WIFSIGNALED(end_of(pid)) ? ++killed : ++whole;
    // Whatever the moment: the image is there with all its files, or not at all.
    if (image::Store(data).contains("test")) {
      const image::Image image = image::Store(data).find("test");
      CHECK(std::distance(fs::recursive_directory_iterator(image.layers.at(0)), fs::recursive_directory_iterator()) == 320);
      CHECK(fs::file_size(box.data / "images/blobs/sha256" / image.layer_digests.at(0).substr(7)) == archive.layers[0].size());
      image::Editor(data, {}).remove("test");
    }
    const image::Editor next(data, {});
    CHECK(sys::list_directory(data + "/tmp").size() == 1);  // its own
  }
  CHECK(killed > 0);
  box.load(archive.bytes());
  image::Editor(data, {}).remove("test");
  box.check_untouched();
}

TEST_CASE("parallel loads and removals of the same image agree", "[image]") {
  if (!fs::exists(program)) DRYDOCK_SKIP("drydock-image is not built; build all of drydock");
  const Sandbox box;
  Tar shared, own;
  for (int i = 0; i < 50; ++i) shared.file("f" + std::to_string(i), std::string(1000, 's'));
  own.file("own", "1");
  const std::string common = shared.bytes();
  const std::string data = box.data.string();
  const std::string one = box.write("one.tar", DockerArchive{{common}, {}, {"one:1"}}.bytes());
  const std::string two = box.write("two.tar", DockerArchive{{common, own.bytes()}, {}, {"two:1"}}.bytes());
  for (int round = 0; round < 6; ++round) {
    std::vector<pid_t> running;
    for (int i = 0; i < 4; ++i) {
      running.push_back(start({program, "load", "-q", "-i", one, "--root", data}));
      running.push_back(start({program, "load", "-q", "-i", two, "--root", data}));
    }
    for (const pid_t pid : running) CHECK(end_of(pid) == 0);
    // One image goes while the other comes: the layer they share must be there in the end.
    const pid_t removal = start({program, "rm", "--root", data, "one:1"});
    const pid_t loading = start({program, "load", "-q", "-i", two, "--root", data});
    CHECK(end_of(removal) == 0);
    CHECK(end_of(loading) == 0);
    const image::Image left = image::Store(data).find("two:1");
    for (const std::string& layer : left.layers) CHECK(fs::exists(layer));
    for (const std::string& digest : left.layer_digests) CHECK(fs::exists(box.data / "images/blobs/sha256" / digest.substr(7)));
    CHECK(fs::is_empty(box.data / "tmp"));
  }
  image::Editor(data, {}).remove("two:1");
  box.check_untouched();
}

TEST_CASE("a full disk is said, and leaves nothing", "[image]") {
  if (sys::geteuid() != 0) DRYDOCK_SKIP("not root; run with sudo");
  if (!fs::exists(program)) DRYDOCK_SKIP("drydock-image is not built; build all of drydock");
  const Sandbox box;
  Tar layer;
  for (int i = 0; i < 40; ++i) layer.file("f" + std::to_string(i), std::string(100'000, 'x'));
  const std::string file = box.write("image.tar", DockerArchive{{layer.bytes()}}.bytes());
  const pid_t child = forked();
  if (child == 0) {
    fs::create_directories(box.data);
    bool good = ::unshare(CLONE_NEWNS) == 0 && ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                ::mount("tmpfs", box.data.c_str(), "tmpfs", 0, "size=2m") == 0;
    try {
      image::load_images(box.data.string(), file, {});
      good = false;
    } catch (const Error& error) {
      good = good && error.code() == ENOSPC && error.remedy().find("free some space") != std::string::npos;
    }
    good = good && fs::is_empty(box.data / "tmp") && fs::is_empty(box.data / "layers");
    ::_exit(good ? 0 : 1);
  }
  CHECK(WEXITSTATUS(end_of(child)) == 0);
}

TEST_CASE("the command line tells usage from failure", "[image]") {
  if (!fs::exists(program)) DRYDOCK_SKIP("drydock-image is not built; build all of drydock");
  const Sandbox box;
  const std::string data = box.data.string();
  const auto code = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {program, "--root", data});
    return WEXITSTATUS(end_of(start(words, true)));
  };
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{}, {"lod"}, {"save"}, {"ls", "--nope"}, {"save", "--format", "x", "y"}})
    CHECK(code(words) == 2);
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"history", "nope"}, {"rm", "nope"}, {"load", "-i", "/nope"}, {"inspect", "NOPE"}})
    CHECK(code(words) == 1);
  CHECK(code({"ensure-base"}) == 0);
  CHECK(code({"ensure-base"}) == 0);
  CHECK(image::Store(data).find("busybox").layers.size() >= 2);
  CHECK(image::Store(data).find("busybox").config.command == std::vector<std::string>{"sh"});
  CHECK(code({"tag", "busybox", "mine:1"}) == 0);
  CHECK(code({"rm", "busybox", "nope", "mine:1"}) == 1);  // the others are removed all the same
  box.check_untouched();
}
