// From store to store: save and load keep an image, export and import keep its files only.
#include <string>

#include <drydock/image/archive/bundle.hpp>
#include <drydock/image/archive/load.hpp>
#include <drydock/image/archive/save.hpp>
#include <drydock/kernel/sys.hpp>

#include "experiments.hpp"
#include "experiments/by_hand.hpp"
#include "shared/tiny_elf.hpp"

namespace drydock::chapter::image_layers {

using drydock::image::Store;

namespace {

ByHand program_and_file() {
  return {"app:1",
          {{"COPY hello /", tar_of({{"hello", tiny_elf("hello\n")}})}, {"COPY data /", tar_of({{"data", "d"}})}, {"CMD /hello"}},
          R"({"Cmd":["/hello"]})"};
}

// What `docker save -o app.tar app:1` and `docker load -i app.tar` do, between two stores of the bench.
void save(Bench& bench) {
  bench.run([] {
    drydock::image::save_images("/mnt/store", {"app:1"}, "app.tar", drydock::image::SaveFormat::docker);
    return std::string();
  });
}
std::string loaded_id(Bench& bench, const std::string& store) {
  return bench.run([&] { return drydock::image::load_images("/mnt/" + store, "app.tar", {}).front().id; });
}

std::string in_archive(Bench& bench, const std::string& name) {
  return bench.run([&] { return text(drydock::image::open_bundle("app.tar", "/mnt", {})->contains(name)); });
}

drydock::image::Image image_in(Bench& bench, const std::string& store, const std::string& name) {
  drydock::image::Image image;
  image.manifest_digest = ask(bench, store, [&](const Store& images) { return images.find(name).manifest_digest; });
  image.config_digest = ask(bench, store, [&](const Store& images) { return images.find(name).config_digest; });
  image.layers = layers_of(bench, store, name);
  return image;
}

std::string command_of(Bench& bench, const std::string& store, const std::string& name) {
  const std::string command = ask(bench, store, [&](const Store& images) {
    const auto words = images.find(name).config.command;
    return words.empty() ? std::string() : words.front();
  });
  return command.empty() ? "none" : command;
}

}  // namespace

void save_load(Narrator& tell) {
  Bench bench;
  const std::string id = load(bench, "store", program_and_file());
  tell.step("docker save -o app.tar app:1");
  save(bench);
  tell.show("a manifest.json (docker) in it?", in_archive(bench, "manifest.json"), is("yes"));
  tell.show("an index.json (OCI) in it?", in_archive(bench, "index.json"), is("yes"));
  tell.show("the configuration, by digest?", in_archive(bench, "blobs/sha256/" + id.substr(7)), is("yes"));
  tell.step("docker load -i app.tar, on another machine: an empty store");
  tell.show("the same id?", loaded_id(bench, "other") == id, is(true));
  tell.show("name", ask(bench, "other", [](const Store& images) { return images.list().front().reference; }), is("app:1"));
  tell.show("layers", layers_of(bench, "other", "app:1").size(), is(2));
  tell.show("command", command_of(bench, "other", "app:1"), is("/hello"));
  tell.result(
      "an archive of `docker save` is the image: layers, configuration, names. The commands the notes look for are these.");
}

void flattened(Narrator& tell) {
  Bench bench;
  const std::string id = load(bench, "store", program_and_file());
  tell.step("a container of the image writes a file; docker export: a tar of what it sees; docker import: an image of that tar");
  bench.stack("merged", {layers_of(bench, "store", "app:1"), "upper"});
  bench.write("merged/new", "n");
  const std::string imported = bench.run([] {
    sys::replace_file("export.tar", tar_of_directory("merged"));
    return drydock::image::import_rootfs("/mnt/store", "export.tar", "flat:1", {}).id;
  });
  const auto layers = layers_of(bench, "store", "flat:1");
  tell.show("layers of app:1", layers_of(bench, "store", "app:1").size(), is(2));
  tell.show("layers of flat:1", layers.size(), is(1));
  tell.show("files of flat:1", bench.list(layers.front()), is("data hello new"));
  tell.show("command of app:1", command_of(bench, "store", "app:1"), is("/hello"));
  tell.show("command of flat:1", command_of(bench, "store", "flat:1"), is("none"));
  tell.show("rows of its history", ask(bench, "store", [](const Store& images) { return text(images.history("flat:1").size()); }),
            is("1"));
  tell.show("the same id?", imported == id, is(false));
  tell.result("export keeps the files and loses the image: one layer, no history, no command. save keeps all.");
}

void ship(Narrator& tell) {
  Bench bench;
  tell.step("build: an image by hand, in one store");
  load(bench, "store", program_and_file());
  const drydock::image::Image built = image_in(bench, "store", "app:1");
  tell.step("ship: save, and load in another store");
  save(bench);
  loaded_id(bench, "other");
  const drydock::image::Image shipped = image_in(bench, "other", "app:1");
  tell.show("digest of the manifest: the same?", shipped.manifest_digest == built.manifest_digest, is(true));
  tell.show("id: the same?", shipped.config_digest == built.config_digest, is(true));
  tell.step("run: a container of each");
  bench.stack("here", {built.layers, "upper1"});
  bench.stack("there", {shipped.layers, "upper2"});
  tell.show("where it was built, it prints", run_in(bench, "here", {"/hello"}), is("hello"));
  tell.show("where it arrived", run_in(bench, "there", {"/hello"}), is("hello"));
  tell.show("the program: the same bytes?", bench.read("here/hello") == bench.read("there/hello"), is(true));
  tell.result("what was built, shipped and run has one digest. Whoever checks it knows that nothing changed on the way.");
}

}  // namespace drydock::chapter::image_layers
