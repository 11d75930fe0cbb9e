#include "commands.hpp"

#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

#include <drydock/kernel/error.hpp>
#include <drydock/process/exit_status.hpp>

#include "output.hpp"
#include "suggest.hpp"

namespace drydock::cli {

namespace {

struct Command {
  const char* name;
  const char* summary;
  int (*function)(const Words&);
};

constexpr Command commands[] = {
    {"run", "run a program in a new container", run_command},
    {"exec", "run another program in a running container", exec_command},
    {"attach", "connect this terminal to a running container", attach_command},
    {"ps", "list containers", ps_command},
    {"logs", "show what a container has written", logs_command},
    {"wait", "wait for the end of a container, print its exit code", wait_command},
    {"stop", "ask a container to end, then make it", stop_command},
    {"kill", "send a signal to a container", kill_command},
    {"rm", "remove a container that has ended", rm_command},
    {"inspect", "show all about a container, as JSON", inspect_command},
    {"images", "list images", images_command},
    {"image", "import, load, save, history, inspect, rm", image_command},
    {"facts", "what the kernel says about a process or container", facts_command},
    {"doctor", "what this machine can do for containers, and how to repair the rest", doctor_command},
    {"reset", "clean up what was left behind", reset_command},
    {"version", "the version, and what this machine offers", version_command},
};

// The directories reach the library (and drydock-image) through the environment, which default_paths() reads.
void set_directory(const char* variable, const std::string& option, const std::string& directory) {
  if (directory.empty())
    throw Error::refused("option " + option, "the directory is missing", "for example " + option + " /srv/drydock");
  std::string absolute = directory;
  if (directory[0] != '/') {
    const std::unique_ptr<char, void (*)(void*)> here(::get_current_dir_name(), ::free);
    absolute = std::string(here ? here.get() : "") + "/" + directory;
  }
  ::setenv(variable, absolute.c_str(), 1);
}

// Takes the global options off the front; the index of the command.
std::size_t take_globals(const Words& words) {
  std::size_t at = 0;
  for (; at < words.size() && words[at].starts_with("--"); ++at) {
    const std::string& word = words[at];
    const std::string name = word.substr(0, word.find('='));
    if (name != "--root" && name != "--state") break;
    std::string directory = word.size() > name.size() ? word.substr(name.size() + 1) : "";
    if (word == name && at + 1 < words.size()) directory = words[++at];
    set_directory(name == "--root" ? "DRYDOCK_ROOT" : "DRYDOCK_STATE", name, directory);
  }
  return at;
}

[[noreturn]] void unknown(const std::string& word) {
  Words names;
  for (const Command& command : commands) names.emplace_back(command.name);
  const std::string near = nearest(word, names);
  const bool option = word.starts_with('-');
  throw Error::refused(
      (option ? "option " : "command '") + word + (option ? "" : "'"),
      option ? "there is no such global option (options of a command go behind its name)" : "there is no such command",
      near.empty() ? "'drydock --help' lists them" : "did you mean 'drydock " + near + "'?");
}

int execute(const Words& words, std::string& name) {
  const std::size_t at = take_globals(words);
  if (at == words.size() || words[at] == "--help" || words[at] == "-h" || (words[at] == "help" && at + 1 == words.size())) {
    print(overview());
    return 0;
  }
  Words rest(words.begin() + static_cast<std::ptrdiff_t>(at) + 1, words.end());
  name = words[at] == "--version" || words[at] == "-v" ? "version" : words[at];
  if (name == "help") {
    name = rest[0];
    rest = {"--help"};
  }
  const auto found = std::find_if(std::begin(commands), std::end(commands), [&](const Command& c) { return name == c.name; });
  if (found == std::end(commands)) unknown(name);
  return found->function(rest);
}

}  // namespace

std::string overview() {
  std::string page =
      "drydock: containers, and how they are made\n\n"
      "Usage: drydock [--root DIR] [--state DIR] COMMAND ...\n\n"
      "Begin with:\n"
      "  drydock run -it busybox sh            a shell in a container of its own\n"
      "  drydock run --plan busybox true       every system call of it, and why; runs nothing\n"
      "  drydock facts                         what makes this very shell differ from a container\n\n"
      "Commands:\n";
  for (const Command& command : commands) {
    std::string name = command.name;
    name.resize(10, ' ');
    page += "  " + name + command.summary + "\n";
  }
  page +=
      "\nGlobal options:\n"
      "  --root DIR   where images, layers and logs are kept (default /var/lib/drydock)\n"
      "  --state DIR  where running containers are recorded (default /run/drydock)\n\n"
      "'drydock COMMAND --help' explains a command.\n";
  return page;
}

int dispatch(const Words& words) noexcept {
  std::string name;
  try {
    const int code = execute(words, name);
    finish_output();
    return code;
  } catch (...) {
    try {
      say(sentence(std::current_exception()));
    } catch (...) {  // no memory even for the sentence
      static constexpr char text[] = "drydock: there is not enough memory\n";
      [[maybe_unused]] const auto written = ::write(2, text, sizeof text - 1);
    }
    return name == "run" || name == "exec" ? process::exit_runtime_failed : 1;
  }
}

}  // namespace drydock::cli
