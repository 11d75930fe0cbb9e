// What an image is called: its id is a digest, its tags are names that point to it.
#include <string>

#include <drydock/container/container.hpp>
#include <drydock/image/archive/digest.hpp>
#include <drydock/image/archive/editor.hpp>
#include <drydock/kernel/error.hpp>
#include <drydock/kernel/sys.hpp>

#include "experiments.hpp"
#include "experiments/by_hand.hpp"
#include "shared/image.hpp"
#include "shared/payload.hpp"

namespace drydock::chapter::image_layers {

using drydock::image::Compression;
using drydock::image::Editor;
using drydock::image::Store;

namespace {

const std::map<std::string, std::string> files{{"app", "a"}};

ByHand demo(const std::string& name = "demo:1") {
  return {name, {{"COPY app /", tar_of(files)}, {"CMD app"}}, R"({"Cmd":["app"]})"};
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : " ") + word;
  return out;
}

std::string names_in(Bench& bench, const std::string& store) {
  return ask(bench, store, [](const Store& images) {
    std::vector<std::string> names;
    for (const auto& image : images.list()) names.push_back(image.reference);
    return joined(names);
  });
}

std::string id_of(Bench& bench, const std::string& store, const std::string& name) {
  return ask(bench, store, [&](const Store& images) { return images.find(name).config_digest; });
}

void tag(Bench& bench, const std::string& source, const std::string& target) {
  bench.run([&] {
    Editor("/mnt/store", {}).tag(source, target);
    return std::string();
  });
}

// What `docker rmi` prints, without the digests of what it deleted; or why it refuses.
std::string removed(Bench& bench, const std::string& what) {
  return bench.run([&]() -> std::string {
    try {
      std::vector<std::string> lines = Editor("/mnt/store", {}).remove(what);
      for (std::string& line : lines)
        if (line.starts_with("Deleted: ")) line = "Deleted";
      return joined(lines);
    } catch (const Error& error) {
      return error.parts().reason;
    }
  });
}

}  // namespace

void digests(Narrator& tell) {
  Bench bench;
  tell.step("the same image is loaded on two machines: two stores that know nothing of each other");
  const std::string here = load(bench, "store", demo()), there = load(bench, "other", demo());
  tell.show("both have the same id?", here == there, is(true));
  tell.show("id = sha256 of the configuration?", here == drydock::image::sha256_digest(configuration_of(demo())), is(true));
  tell.step("the layer is compressed on one of them");
  ByHand gzip = demo();
  gzip.instructions[0].tar = tar_of(files, Compression::gzip);
  const auto digest = [](const std::string& tar) { return drydock::image::sha256_digest(tar); };
  tell.show("the same digest, as it is sent?", digest(tar_of(files)) == digest(*gzip.instructions[0].tar), is(false));
  tell.show("the same diff id?", diff_id_of(tar_of(files)) == diff_id_of(*gzip.instructions[0].tar), is(true));
  tell.show("the same id?", load(bench, "gzip", gzip) == here, is(true));
  tell.step("one byte of a layer, or of the configuration, is another");
  ByHand other_file = demo(), other_command = demo();
  other_file.instructions[0].tar = tar_of({{"app", "b"}});
  other_command.config = R"({"Cmd":["App"]})";
  tell.show("another byte: the same id?", load(bench, "other", other_file) == here, is(false));
  tell.show("another CMD: the same id?", load(bench, "other", other_command) == here, is(false));
  tell.result("an id is not given, it is computed: the digest of the configuration, which names the layers by digest.");
}

void aliases(Narrator& tell) {
  Bench bench;
  load(bench, "store", demo("busybox:latest"));
  tell.step("docker tag busybox:latest fengzhao/busybox:latest");
  const std::uint64_t before = bench.used_bytes();
  tag(bench, "busybox:latest", "fengzhao/busybox:latest");
  tell.show("images by name", names_in(bench, "store"), is("busybox:latest fengzhao/busybox:latest"));
  tell.show("both have the same id?", id_of(bench, "store", "busybox") == id_of(bench, "store", "fengzhao/busybox"), is(true));
  tell.show("the name cost less than 64 KiB?", bench.used_bytes() - before < 65536, is(true));
  tell.step("another image takes the first name: load of a new version");
  ByHand next = demo("busybox:latest");
  next.instructions[0].tar = tar_of({{"app", "version 2"}});
  load(bench, "store", next);
  tell.show("images by name", names_in(bench, "store"), is("busybox:latest fengzhao/busybox:latest"));
  tell.show("both have the same id?", id_of(bench, "store", "busybox") == id_of(bench, "store", "fengzhao/busybox"), is(false));
  tell.result("a tag is a name that may point elsewhere tomorrow; a digest always means the same bytes.");
}

void removal(Narrator& tell) {
  Bench bench;
  const std::string id = load(bench, "store", demo("base:1"));
  ByHand child = demo("child:1");
  child.instructions.push_back({"COPY more /", tar_of({{"more", "m"}})});
  load(bench, "store", child);
  tag(bench, "base:1", "base:2");
  tell.step("docker rmi: an image with two names, and a second image on the same lowest layer");
  tell.show("rmi of its id", removed(bench, id), contains("several names"));
  tell.show("rmi base:1", removed(bench, "base:1"), is("Untagged: base:1"));
  tell.show("images by name", names_in(bench, "store"), is("base:2 child:1"));
  tell.step("its last name");
  const std::string lowest = layers_of(bench, "store", "child:1").front();
  tell.show("rmi base:2", removed(bench, "base:2"), contains("Deleted"));
  tell.show("images by name", names_in(bench, "store"), is("child:1"));
  tell.show("the layer that child has too", bench.run([&] { return kind_of(lowest); }), is("directory"));
  tell.step("and the last image on it");
  removed(bench, "child:1");
  tell.show("that layer now", bench.run([&] { return kind_of(lowest); }), is("none"));
  tell.result("rmi takes a name away. The image goes with its last name, a layer with its last image.");
}

void in_use(Narrator& tell) {
  tell.step("a container of busybox runs; docker rmi of that image, by id");
  Payload payload(tell, sketch_of(11, request_with_image()));
  const std::string data = container::default_paths().data;
  const auto used = [&] {
    drydock::image::InUse all;
    for (const container::Record& record : container::Engine().list_of_all_hosts()) {
      all.layers.insert(record.layers.begin(), record.layers.end());
      all.images.emplace(record.image_id, record.id.substr(0, 12));
    }
    return all;
  };
  const drydock::image::Image image = Store(data).find("busybox");
  tell.show("does its ledger name the image?", used().images.contains(image.config_digest), is(true));
  tell.show("are all its layers in use?", used().layers.contains(image.layers.front()), is(true));
  std::string refusal = "done";
  try {
    Editor(data, used).remove(image.config_digest);
  } catch (const Error& error) {
    refusal = error.parts().reason.starts_with("container ") ? "refused: a container uses it" : error.parts().reason;
  }
  tell.show("rmi", refusal, is("refused: a container uses it"));
  tell.show("is the image there?", Store(data).contains("busybox"), is(true));
  payload.talk().say("still here");
  tell.show("the container's cat says", payload.talk().line(), is("still here"));
  tell.result("a container stands on the image's own layers: nobody may pull them away.");
}

}  // namespace drydock::chapter::image_layers
