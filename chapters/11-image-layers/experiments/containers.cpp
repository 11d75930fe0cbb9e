// What containers make of an image: they stand on it, and leave it as it is.
#include <fcntl.h>
#include <sys/syscall.h>

#include <algorithm>
#include <filesystem>
#include <string>

#include <drydock/facts/snapshot.hpp>
#include <drydock/kernel/sys.hpp>

#include "experiments.hpp"
#include "experiments/by_hand.hpp"
#include "shared/image.hpp"
#include "shared/look.hpp"
#include "shared/payload.hpp"

namespace drydock::chapter::image_layers {

namespace fs = std::filesystem;

namespace {

std::string answer(Payload& payload, const char* command) {
  payload.talk().say(command);
  return payload.talk().line();
}

// Path, size and time of change of every file: what would tell of a write.
std::string state_of(const std::vector<std::string>& layers) {
  std::string all;
  for (const std::string& layer : layers)
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(layer)) {
      const struct stat status = *sys::lstat(entry.path());
      all += entry.path().string() + " " + text(status.st_size) + " " + text(status.st_ctim.tv_sec) + "." +
             text(status.st_ctim.tv_nsec) + "\n";
    }
  return all;
}

std::string names_in(const std::string& directory) {
  std::string out;
  for (const std::string& name : sys::list_directory(directory)) out += (out.empty() ? "" : " ") + name;
  return out.empty() ? "(empty)" : out;
}

std::string type_of_root(const Payload& payload) {
  for (const facts::Mount& mount : payload.facts().mounts)
    if (mount.target == "/") return mount.type;
  return "none";
}

bool any_file_named(const std::vector<std::string>& layers, const std::vector<std::string>& beginnings) {
  for (const std::string& layer : layers)
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(layer)) {
      const std::string name = entry.path().filename().string();
      if (std::any_of(beginnings.begin(), beginnings.end(), [&](const std::string& one) { return name.starts_with(one); }))
        return true;
    }
  return false;
}

}  // namespace

void two_containers(Narrator& tell) {
  Request one = request_with_image({"sh"}), two = request_with_image({"sh"});
  const std::string upper1 = one.data + "/upper/" + one.id, upper2 = two.data + "/upper/" + two.id;
  const std::vector<std::string> layers = one.image.layers;
  const std::string before = state_of(layers);
  tell.step("two containers of one image");
  Payload first(tell, sketch_of(11, std::move(one))), second(tell, sketch_of(11, std::move(two)));
  tell.show("the first one's /etc/hostname", answer(first, "cat /etc/hostname"), is("busybox"));
  tell.show("the same /bin/busybox in both?",
            answer(first, "stat -c %i /bin/busybox") == answer(second, "stat -c %i /bin/busybox"), is(true));
  tell.step("the first one writes a file, changes one and deletes one");
  tell.show("its /etc/hostname",
            answer(first, "echo new > /new; echo mine > /etc/hostname; rm /www/index.html; cat /etc/hostname"), is("mine"));
  tell.show("the second one's", answer(second, "cat /etc/hostname"), is("busybox"));
  tell.show("has the second /new?", answer(second, "test -e /new && echo yes || echo no"), is("no"));
  tell.show("has it /www/index.html?", answer(second, "test -e /www/index.html && echo yes || echo no"), is("yes"));
  tell.step("the directories: image and writable layers");
  tell.show("the first one's writable layer", names_in(upper1), is("etc new www"));
  tell.show("the second one's", names_in(upper2), is("(empty)"));
  tell.show("did any file of the image change?", state_of(layers) != before, is(false));
  first.end();
  tell.show("the first one's layer, afterwards", sys::exists(upper1) ? "there" : "gone", is("gone"));
  tell.result("an image is a template that nobody writes to; a container is processes, and one directory for what they changed.");
}

void no_boot(Narrator& tell) {
  Request request = request_with_image({"sh"});
  const std::vector<std::string> layers = request.image.layers;
  tell.step("look for a boot file system in the layers of the image");
  tell.show("a kernel or initrd in a layer?", any_file_named(layers, {"vmlinu", "bzImage", "initrd", "initramfs", "grub"}),
            is(false));
  tell.show("the lowest layer lists", names_in(layers.front()), contains("bin dev etc home proc root"));
  tell.step("a container of it");
  Payload payload(tell, sketch_of(11, std::move(request)));
  const auto same_on_the_host = [&](const std::string& path) {
    payload.talk().say("cat " + path + "; echo end");
    std::string inside;
    for (std::string line = payload.talk().line(); line != "end"; line = payload.talk().line()) inside += line + "\n";
    return inside == sys::read_file(path);
  };
  tell.show("the same boot_id as the host's?", same_on_the_host("/proc/sys/kernel/random/boot_id"), is(true));
  tell.show("the same kernel?", same_on_the_host("/proc/version"), is(true));
  tell.show("its process 1 is", answer(payload, "cat /proc/1/comm"), is("sh"));
  tell.show("its / is an", type_of_root(payload), is("overlay"));
  tell.step("file systems that it could mount: drivers are of the kernel, so of the host");
  tell.show("the same /proc/filesystems?", same_on_the_host("/proc/filesystems"), is(true));
  tell.result("nothing boots: the lowest layer is a plain root file system, and the kernel and all its drivers are the host's.");
}

void commit(Narrator& tell) {
  Bench bench;
  load(bench, "store",
       {"app:1", {{"COPY conf old /", tar_of({{"conf", "one"}, {"old", "o"}})}, {"CMD app"}}, R"({"Cmd":["app"]})"});
  const auto layers = layers_of(bench, "store", "app:1");
  tell.step("a container changes a file, adds one and deletes one");
  bench.stack("container", {layers, "upper"});
  bench.write("container/conf", "two");
  bench.write("container/new", "n");
  bench.call([] { return raw::call(SYS_unlinkat, AT_FDCWD, "container/old", 0); });
  tell.show("its writable layer lists", bench.list("upper"), is("conf new old"));
  tell.step(
      "docker commit: that directory as a tar, with \".wh.old\" for the deleted file; one diff id more in the configuration");
  const std::string added = bench.run([] { return tar_of_directory("upper"); });
  ByHand committed{"app:2",
                   {{"COPY conf old /", tar_of({{"conf", "one"}, {"old", "o"}})}, {"CMD app"}, {"commit", added}},
                   R"({"Cmd":["app"]})"};
  load(bench, "store", committed);
  const auto now = layers_of(bench, "store", "app:2");
  tell.show("layers", now.size(), is(2));
  tell.show("the lowest is that of app:1?", now.front() == layers.front(), is(true));
  tell.step("containers of both");
  bench.stack("of1", {layers, "upper1"});
  bench.stack("of2", {now, "upper2"});
  tell.show("of app:1 lists", bench.list("of1"), is("conf old"));
  tell.show("of app:2 lists", bench.list("of2"), is("conf new"));
  tell.show("/conf of app:2", bench.read("of2/conf"), is("two"));
  tell.step("the container itself goes on, and writes");
  bench.write("container/later", "l");
  tell.show("the container lists", bench.list("container"), is("conf later new"));
  tell.show("of app:2 lists", bench.list("of2"), is("conf new"));
  tell.result(
      "a commit is a copy of the writable layer as one more layer of a new image. The container stays what it was, and so does "
      "the old image.");
}

}  // namespace drydock::chapter::image_layers
