// What an image says about itself: history, configuration, and nothing about containers.
#include <algorithm>
#include <string>

#include <nlohmann/json.hpp>

#include <drydock/kernel/error.hpp>
#include <drydock/kernel/sys.hpp>

#include "experiments.hpp"
#include "experiments/by_hand.hpp"
#include "shared/image.hpp"
#include "shared/payload.hpp"

namespace drydock::chapter::image_layers {

using drydock::image::Store;
using json = nlohmann::ordered_json;

namespace {

ByHand on_a_base(const std::string& name) {
  return {name,
          {{"ADD rootfs.tar.xz /", tar_of({{"base", "b"}})},
           {"CMD [\"sh\"]"},
           {"COPY app /", tar_of({{"app", "a"}})},
           {"CMD [\"/app\"]"}},
          R"({"Cmd":["/app"]})"};
}

std::string keys_of(const json& object) {
  std::string out;
  for (const auto& [key, value] : object.items()) out += (out.empty() ? "" : " ") + key;
  return out;
}

json history_rows(Bench& bench, const std::string& name) {
  return json::parse(ask(bench, "store", [&](const Store& images) { return images.config_json(name); })).at("history");
}

// Rows up to which the history is that of an image in the store. For the others `docker history` prints <missing>.
long rows_with_an_image(Bench& bench, const json& rows) {
  const std::string all = ask(bench, "store", [](const Store& images) {
    json histories = json::array();
    for (const auto& image : images.list()) histories.push_back(json::parse(images.config_json(image.reference)).at("history"));
    return histories.dump();
  });
  json up_to_here = json::array();
  return std::count_if(rows.begin(), rows.end(), [&, histories = json::parse(all)](const json& row) {
    up_to_here.push_back(row);
    return std::find(histories.begin(), histories.end(), up_to_here) != histories.end();
  });
}

std::string reason_of(const std::function<void()>& action) {
  try {
    action();
    return "it succeeds";
  } catch (const Error& error) {
    return error.parts().reason;
  }
}

}  // namespace

void history(Narrator& tell) {
  Bench bench;
  load(bench, "store", on_a_base("app:1"));
  tell.step("docker history of an image that was built on another one");
  const json rows = history_rows(bench, "app:1");
  tell.show("rows", rows.size(), is(4));
  tell.show("the first is of the base", rows[0].at("created_by").get<std::string>(), is("ADD rootfs.tar.xz /"));
  tell.show("the last is its own", rows[3].at("created_by").get<std::string>(), is("CMD [\"/app\"]"));
  tell.step("docker history of a container that runs");
  Request request = request_with_image();
  const std::string container = request.id.substr(0, 12), data = request.data;
  Payload payload(tell, sketch_of(11, std::move(request)));
  payload.talk().say("hello");
  tell.show("its cat says", payload.talk().line(), is("hello"));
  tell.show("has the store a history of it?", reason_of([&] { Store(data).history(container); }) == "it succeeds", is(false));
  tell.result("history is a list in an image's configuration: how it was built. What containers did stands elsewhere, in logs.");
}

void missing(Narrator& tell) {
  Bench bench;
  load(bench, "store", on_a_base("app:1"));
  tell.step("what a row of the history holds, in the configuration of an image that nobody downloaded");
  const json rows = history_rows(bench, "app:1");
  tell.show("a row with a layer has", keys_of(rows[0]), is("created created_by"));
  tell.show("a row without", keys_of(rows[1]), is("created created_by empty_layer"));
  tell.show("an id of an image in any row?", rows.dump().find("sha256:") != std::string::npos, is(false));
  tell.step("so a tool looks for images in the store whose history ends with that row");
  tell.show("rows that get an id", rows_with_an_image(bench, rows), is(1));
  tell.step("the base is loaded too, as the builder of long ago kept an image for every step");
  ByHand base = on_a_base("base:1");
  base.instructions.resize(2);
  load(bench, "store", base);
  tell.show("rows that get an id", rows_with_an_image(bench, rows), is(2));
  tell.result("<missing> says: no image of that step is here. It says nothing about a cache, or about who built it where.");
}

void inspect(Narrator& tell) {
  Bench bench;
  load(bench, "store", on_a_base("ubuntu:20.04"));
  const auto say = [&](const std::string& name) {
    return ask(bench, "store", [&](const Store& images) { return drydock::image::inspect_json(images, name); });
  };
  const auto reason = [&](const std::string& name) {
    return ask(bench, "store", [&](const Store& images) { return text(images.contains(name)); });
  };
  tell.step("the notes inspect ubuntu:20.4; the image is called ubuntu:20.04");
  tell.show("is there an ubuntu:20.4?", reason("ubuntu:20.4"), is("no"));
  tell.show("is there an ubuntu:20.04?", reason("ubuntu:20.04"), is("yes"));
  tell.step("docker image inspect ubuntu:20.04");
  const json document = json::parse(say("ubuntu:20.04"));
  tell.show("Architecture and Os", document.value("Architecture", "") + " " + document.value("Os", ""), contains(" linux"));
  tell.show("RootFS.Layers", document.at("RootFS").at("Layers").size(), is(2));
  tell.show("{{json .Config}}", document.at("Config").dump(), is("{\"Cmd\":[\"/app\"]}"));
  tell.show("has it a DockerVersion?", document.contains("DockerVersion"), is(false));
  tell.show("has its configuration one?",
            ask(bench, "store", [](const Store& images) { return images.config_json("ubuntu:20.04"); }).find("docker_version") !=
                std::string::npos,
            is(false));
  tell.result(
      "a tag is text, compared letter by letter. DockerVersion was written by old builders only: today's do not name one.");
}

}  // namespace drydock::chapter::image_layers
