// drydock-image: the program behind `drydock image ...`. It stands alone because archives need libraries that would cost every
// start of a container a millisecond. `drydock` executes it with the words that follow "image".
#include <unistd.h>

#include <algorithm>
#include <iostream>

#include <CLI/CLI.hpp>

#include <drydock/container/container.hpp>
#include <drydock/kernel/error.hpp>

#include "commands.hpp"
#include "drydock/output.hpp"
#include "drydock/suggest.hpp"

namespace {

using namespace drydock;
using namespace drydock::image_cli;

constexpr int failed = 1, usage_error = 2;
constexpr const char* sync_help = "wait until the disk has it all (a power cut then cannot damage it)";

struct Arguments {
  std::string data;
  LoadArguments load;
  ImportArguments import;
  SaveArguments save;
  std::vector<std::string> images;
  std::string source, target;
  bool full = false, quiet = false, configuration = false;
  int result = 0;
};

void add_limits(CLI::App& command, image::Limits& limits) {
  command.add_option("--max-size", limits.bytes, "refuse what unpacks to more (default 8GiB)")
      ->transform(CLI::AsSizeValue(false))
      ->option_text("SIZE");
  command.add_option("--max-entries", limits.entries, "refuse more files than this (default 1000000)")->type_name("N");
  command.add_option("--max-ratio", limits.ratio, "refuse a layer that inflates to more than N times its size (default 300)")
      ->check(CLI::PositiveNumber)
      ->option_text("N");
}

// The root may stand behind the command too, where docker users put options.
CLI::App& add(CLI::App& app, Arguments& arguments, const char* name, const char* text, const std::function<void()>& run) {
  CLI::App& command = *app.add_subcommand(name, text);
  command.add_option("--root", arguments.data, "where images are kept (default /var/lib/drydock)")->type_name("DIR");
  command.callback(run);
  return command;
}

void add_bringing(CLI::App& app, Arguments& a) {
  CLI::App& load =
      add(app, a, "load", "load images from a docker archive or an OCI layout (file, directory or standard input)", [&a] {
        a.load.data = a.data;
        image_cli::load(a.load);
      });
  load.add_option("-i,--input", a.load.input, "the archive or layout directory; default standard input")->type_name("FILE");
  load.add_option("--name", a.load.name, "name the image (when there is one)")->type_name("NAME[:TAG]");
  load.add_flag("-q,--quiet", a.load.quiet, "print nothing");
  load.add_flag("--sync", a.load.sync, sync_help);
  add_limits(load, a.load.limits);

  CLI::App& import = add(app, a, "import", "make an image of one layer from a root file system tar", [&a] {
    a.import.data = a.data;
    image_cli::import(a.import);
  });
  import.add_option("file", a.import.file, "the tar (plain, gzip, zstd, bzip2, xz), or - for standard input")
      ->required()
      ->type_name("FILE|-");
  import.add_option("reference", a.import.reference, "its name")->type_name("[NAME[:TAG]]");
  import.add_option("-c,--change", a.import.changes, "apply a Dockerfile instruction (may be repeated)")
      ->type_name("\"CMD ...\"")
      ->expected(1)
      ->take_all()
      ->allow_extra_args(false);
  import.add_option("-m,--message", a.import.message, "comment for the history")->type_name("TEXT");
  import.add_flag("--sync", a.import.sync, sync_help);
  add_limits(import, a.import.limits);
}

void add_giving(CLI::App& app, Arguments& a) {
  CLI::App& save = add(app, a, "save", "write images to an archive that docker, podman and skopeo load", [&a] {
    a.save.data = a.data;
    image_cli::save(a.save);
  });
  save.add_option("-o,--output", a.save.output, "the file; with --format oci also a directory (NAME/); default standard output")
      ->type_name("FILE");
  save.add_option("--format", a.save.format, "docker (default) or oci")
      ->check(CLI::IsMember({"docker", "oci"}))
      ->type_name("FORMAT");
  save.add_option("image", a.save.images, "the images")->required()->type_name("IMAGE...");

  CLI::App& history = add(app, a, "history", "the steps an image was made in, newest first",
                          [&a] { image_cli::history(a.data, a.source, a.full); });
  history.add_option("image", a.source, "the image")->required()->type_name("IMAGE");
  history.add_flag("--no-trunc", a.full, "do not shorten");

  CLI::App& inspect =
      add(app, a, "inspect", "all about an image, as JSON", [&a] { image_cli::inspect(a.data, a.images, a.configuration); });
  inspect.add_option("image", a.images, "the images")->required()->type_name("IMAGE...");
  inspect.add_flag("--config", a.configuration, "its configuration blob as it is, byte for byte");
}

void add_keeping(CLI::App& app, Arguments& a) {
  CLI::App& list = add(app, a, "ls", "list images", [&a] { image_cli::list(a.data, a.quiet, a.full); });
  list.alias("list");
  list.add_flag("-q,--quiet", a.quiet, "only ids");
  list.add_flag("--no-trunc", a.full, "do not shorten");

  CLI::App& remove = add(app, a, "rm", "remove images: the name, and with the last name the content", [&a] {
    if (!image_cli::remove(a.data, a.images)) a.result = failed;
  });
  remove.alias("remove");
  remove.add_option("image", a.images, "the images")->required()->type_name("IMAGE...");

  CLI::App& tag = add(app, a, "tag", "give an image another name", [&a] { image_cli::tag(a.data, a.source, a.target); });
  tag.add_option("source", a.source, "the image")->required()->type_name("IMAGE");
  tag.add_option("target", a.target, "its new name")->required()->type_name("NAME[:TAG]");

  add(app, a, "ensure-base", "load the built-in image busybox:latest unless the store has it", [&a] {
    image_cli::ensure_base(a.data);
  }).group("");
}

// One sentence; the nearest command when there is no such one.
void say_usage(const CLI::App& app, const CLI::ParseError& error, int count, char** words) {
  std::string text = error.what();
  std::replace(text.begin(), text.end(), '\n', ' ');
  if (count > 1 && words[1][0] != '-' && app.get_subcommands().empty()) {
    std::vector<std::string> names;
    for (const CLI::App* command : app.get_subcommands([](const CLI::App* one) { return !one->get_group().empty(); }))
      names.push_back(command->get_name());
    const std::string near = cli::nearest(words[1], names);
    text = "command 'image " + std::string(words[1]) + "': there is no such command; " +
           (near.empty() ? "'drydock image --help' lists them" : "did you mean 'drydock image " + near + "'?");
    return cli::say(text);
  }
  const auto used = app.get_subcommands();
  const std::string name = used.empty() ? "" : " " + used.front()->get_name();
  cli::say("image" + name + ": " + text + "; see 'drydock image" + name + " --help'");
}

int run(int count, char** words) {
  Arguments arguments;
  arguments.data = container::default_paths().data;
  CLI::App app("Images: bring them in, look at them, hand them on.", "drydock image");
  app.require_subcommand(1);
  app.add_option("--root", arguments.data, "where images are kept (default /var/lib/drydock)")->type_name("DIR");
  add_bringing(app, arguments);
  add_giving(app, arguments);
  add_keeping(app, arguments);
  try {
    app.parse(count, words);
  } catch (const CLI::Success& wanted) {  // --help
    return app.exit(wanted);
  } catch (const CLI::ParseError& error) {
    say_usage(app, error, count, words);
    return usage_error;
  }
  cli::finish_output();
  return arguments.result;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (...) {
    drydock::cli::say(drydock::cli::sentence(std::current_exception()));
    return failed;
  }
}
