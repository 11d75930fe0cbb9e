// What a layer is: a tar archive, named by its digest. What is none: an instruction that brings no file.
#include <algorithm>
#include <string>

#include <drydock/image/archive/digest.hpp>

#include "experiments.hpp"
#include "experiments/by_hand.hpp"
#include "shared/tiny_elf.hpp"

namespace drydock::chapter::image_layers {

using drydock::image::sha256_digest;

namespace {

constexpr std::size_t mebibyte = 1024 * 1024;

ByHand six_instructions() {
  return {"demo:1",
          {{"FROM scratch; ADD base.tar /", tar_of({{"bin/app", "#!"}, {"etc/app.conf", "one"}})},
           {"ENV MODE=test"},
           {"COPY app.conf /etc", tar_of({{"etc/app.conf", "two"}})},
           {"EXPOSE 80"},
           {"RUN app --install", tar_of({{"var/lib/app", "data"}})},
           {"CMD [\"app\"]"}},
          R"({"Env":["MODE=test"],"ExposedPorts":{"80/tcp":{}},"Cmd":["app"]})"};
}

std::size_t files_below(Bench& bench, const std::string& directory) {
  const std::string names = bench.list(directory);
  return names == "(empty)" ? 0 : 1 + static_cast<std::size_t>(std::count(names.begin(), names.end(), ' '));
}

}  // namespace

void instructions(Narrator& tell) {
  Bench bench;
  tell.step("an image by hand: six instructions, of which three bring files and three change the configuration");
  load(bench, "store", six_instructions());
  const auto count = [&](bool empty) {
    return ask(bench, "store", [&](const drydock::image::Store& images) {
      const auto rows = images.history("demo:1");
      return text(std::count_if(rows.begin(), rows.end(), [&](const auto& row) { return row.empty_layer == empty; }));
    });
  };
  tell.show("history rows with a layer", count(false), is("3"));
  tell.show("history rows without", count(true), is("3"));
  tell.show("layers of the image", layers_of(bench, "store", "demo:1").size(), is(3));
  tell.show("directories below store/layers", files_below(bench, "store/layers"), is(3));
  tell.step("stack them: what did ENV, EXPOSE and CMD leave in the files?");
  bench.stack("merged", {layers_of(bench, "store", "demo:1")});
  tell.show("merged lists", bench.list("merged"), is("bin etc var"));
  tell.show("merged/etc/app.conf", bench.read("merged/etc/app.conf"), is("two"));
  tell.result("a layer is what an instruction did to files. ENV, EXPOSE and CMD are words of the configuration: no layer, 0 B.");
}

void no_parent(Narrator& tell) {
  Bench bench;
  const std::string base = tar_of({{"base", "b"}}), app = tar_of({{"app", "a"}});
  tell.step("two images of the same two layers, once base below app, once app below base");
  load(bench, "store", {"one:1", {{"COPY base /", base}, {"COPY app /", app}}});
  load(bench, "store", {"two:1", {{"COPY app /", app}, {"COPY base /", base}}});
  const auto one = layers_of(bench, "store", "one:1"), two = layers_of(bench, "store", "two:1");
  tell.show("lowest of one = highest of two?", one.front() == two.back(), is(true));
  tell.show("highest of one = lowest of two?", one.back() == two.front(), is(true));
  tell.show("directories below store/layers", files_below(bench, "store/layers"), is(2));
  tell.step("look for a parent in the layer: its bytes, and where the order stands instead");
  const std::string digest = sha256_digest(base).substr(7);
  tell.show("is the digest of base in app?", app.find(digest) != std::string::npos, is(false));
  tell.show("a word of metadata?", app.find("created") != std::string::npos, is(false));
  const std::string configuration =
      ask(bench, "store", [](const drydock::image::Store& images) { return images.config_json("one:1"); });
  tell.show("is it in the configuration?", configuration.find(digest) != std::string::npos, is(true));
  tell.result("a layer knows nothing of what lies below it: a plain tar. The configuration lists the diff ids, lowest first.");
}

void deleted_later(Narrator& tell) {
  Bench bench;
  const std::string secret = "secret" + std::string(20 * mebibyte, 'x');
  tell.step("a file of 20 MiB in the first layer; the second one deletes it (a member \".wh.big\" in its tar)");
  load(bench, "store",
       {"demo:1", {{"COPY big kept /", tar_of({{"big", secret}, {"kept", "k"}})}, {"RUN rm /big", tar_of({{".wh.big", ""}})}}});
  const auto layers = layers_of(bench, "store", "demo:1");
  bench.stack("merged", {layers});
  const auto size =
      ask(bench, "store", [](const drydock::image::Store& images) { return text(images.find("demo:1").size / mebibyte); });
  tell.show("what a container sees", bench.list("merged"), is("kept"));
  tell.show("size of the image, in MiB", size, is("20"));
  tell.show("what the second layer has as big", bench.run([&] { return kind_of(layers[1] + "/big"); }), is("char device 0:0"));
  tell.show("in the first layer it begins with", bench.read(layers[0] + "/big", 6), is("secret"));
  tell.step("the same two steps in one instruction: RUN fetch big && rm big");
  load(bench, "store", {"demo:2", {{"COPY kept / && rm /big", tar_of({{"kept", "k"}})}}});
  tell.show("size of that image, in MiB",
            ask(bench, "store", [](const drydock::image::Store& images) { return text(images.find("demo:2").size / mebibyte); }),
            is("0"));
  tell.result("a later layer can hide, never free: who pulls the image pulls the file. A secret in a layer is published.");
}

void smallest(Narrator& tell) {
  Bench bench;
  const std::string program = tiny_elf("hello from 1 file\n");
  tell.step("FROM scratch; COPY hello /: a static program, written by hand as bytes, and nothing else");
  load(bench, "store", {"hello:1", {{"COPY hello /", tar_of({{"hello", program}})}, {"CMD /hello"}}, R"({"Cmd":["/hello"]})"});
  const auto layers = layers_of(bench, "store", "hello:1");
  tell.show("its size", About{static_cast<double>(program.size()), "bytes"}, at_most(About{200, "bytes"}));
  tell.show("layers", layers.size(), is(1));
  tell.show("files in it", bench.list(layers[0]), is("hello"));
  tell.step("a container of it: the layer below, an empty one above, chroot, execve(\"/hello\")");
  bench.stack("merged", {layers, "upper"});
  tell.show("it prints", run_in(bench, "merged", {"/hello"}), is("hello from 1 file"));
  tell.step("and what it does not have");
  tell.show("execve(\"/bin/sh\") in there", run_in(bench, "merged", {"/bin/sh"}), contains("ENOENT"));
  tell.result("an image needs no distribution and no shell: what its program opens, and nothing else. For a static one: itself.");
}

void shared_layers(Narrator& tell) {
  Bench bench;
  const std::string base = tar_of({{"base", std::string(8 * mebibyte, 'b')}});
  load(bench, "store", {"one:1", {{"ADD base /", base}, {"COPY one /", tar_of({{"one", "1"}})}}});
  const std::uint64_t before = bench.used_bytes();
  tell.step("an image with a base of 8 MiB is in the store; a second one with the same base is loaded");
  load(bench, "store", {"two:1", {{"ADD base /", base}, {"COPY two /", tar_of({{"two", "2"}})}}});
  const auto one = layers_of(bench, "store", "one:1"), two = layers_of(bench, "store", "two:1");
  tell.show("layers of both images together", one.size() + two.size(), is(4));
  tell.show("layers in the store", files_below(bench, "store/layers"), is(3));
  tell.show("the second image cost, in MiB", (bench.used_bytes() - before) / mebibyte, is(0));
  bench.stack("merged1", {one});
  bench.stack("merged2", {two});
  tell.show("the same file below both?", bench.status(one[0] + "/base").st_ino == bench.status(two[0] + "/base").st_ino,
            is(true));
  tell.show("the first lists", bench.list("merged1"), is("base one"));
  tell.show("the second lists", bench.list("merged2"), is("base two"));
  tell.result("equal content has one name, so it is kept, sent and cached once. That is why layers are named by digest.");
}

}  // namespace drydock::chapter::image_layers
